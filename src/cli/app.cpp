#include "cli/app.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>

#include "cli/command.hpp"
#include "cli/command_line.hpp"
#include "cli/e91/e91.hpp"
#include "cli/keys/fingerprint.hpp"
#include "cli/keys/keygen.hpp"
#include "cli/keys/pad.hpp"
#include "cli/kme/kme.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/provider_choice.hpp"
#include "cli/text.hpp"
#include "process/harden.hpp"
#include "text/escape.hpp"
#include "text/terminal.hpp"

namespace qsp::cli {
namespace {

void set_up_log(const std::string& level) {
  const auto colour = text::wants_colour(STDERR_FILENO) ? spdlog::color_mode::always : spdlog::color_mode::never;
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour);
  auto log = std::make_shared<spdlog::logger>("qsp", std::move(sink));
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  log->set_level(spdlog::level::from_str(level));
  log->set_error_handler([](const std::string&) {});  // by default told on the very stream that cannot be written
  spdlog::set_default_logger(std::move(log));
}

void add_verbs(Command& app, Context& context) {
  add_serve(app, context);
  add_connect(app, context);
  add_bench(app, context);
  add_fuzz(app, context);
  add_keygen(app, context);
  add_fingerprint(app, context);
  add_pad(app, context);
  add_kme(app, context);
  add_e91(app, context);
  add_vectors(app, context);
  add_version(app, context);
  Command* const help = app.add_subcommand("help", "print the help of a verb");
  set_help(*help, {.examples = {"qsp help", "qsp help kme serve", "qsp kme serve --help"}});
}

/// What every verb takes. It stands before the verb's name, or behind it.
void add_common_options(Command& app, Context& context, std::string& level, std::string& options_file,
                        ProviderChoice& provider, bool& asks_for_version) {
  app.add_flag("--json", context.json, "results on standard output as JSON, in UTF-8");
  // CommandLine makes them the verb; here they are for help.
  app.add_flag("-v,-V,--version", asks_for_version, "print what qsp version prints");
  app.add_checked("--log-level", level, "lowest level of the log on standard error",
                  one_of({"trace", "debug", "info", "warn", "error", "off"}));
  app.add_file("--options", options_file,
               "a TOML file with options of the verb, one per line without its dashes, such as\nlisten = "
               "\"[::]:7155\"; the command line overrides it");
  provider.add_to(app);
  set_help(
      app,
      {.notes = "For a single verb, run qsp VERB --help or qsp help VERB. qsp --version, -v or -V is qsp version.\n"
                "A time is a number and ns, us, ms, s, m, h or d (500ms, 2m, 1h); a size is a number and K, M, G or T\n"
                "(64K, 2G: powers of 1024). An address is HOST:PORT; without a port it is 7155.",
       .examples = {"qsp keygen --out alice.key", "qsp serve --key bob.key --peers peers.toml",
                    "qsp connect bob.example:7155 --key alice.key --peers peers.toml --peer bob",
                    "qsp serve --options serve.toml"}});
}

/// What the command line asks for, up to the exit code.
int act(int argc, char** argv) {
  Context context;
  std::string level = "info";
  std::string options_file;  // for help alone: CommandLine reads it
  ProviderChoice provider;
  bool asks_for_version = false;
  Command app("qsp: a quantum-safe secure channel\n", "qsp");
  app.require_subcommand(1);
  app.fallthrough();
  add_common_options(app, context, level, options_file, provider, asks_for_version);
  add_verbs(app, context);

  CommandLine command_line(app);
  auto arguments = command_line.prepare({argv + std::min(argc, 1), argv + argc});
  if (!arguments) {
    print_error(arguments.error());
    return kUsage;
  }
  const Outcome outcome = app.parse(*arguments);
  switch (outcome.what) {
    case Parsed::Verb:
      break;
    case Parsed::Help:
      write_out(outcome.text);
      return kOk;
    case Parsed::Error:
      print_error(command_line.explain(outcome));
      return kUsage;
  }
  if (const auto chosen = provider.apply(); !chosen) {
    print_error(text::terminal_escape(chosen.error()));
    return kUsage;
  }
  set_up_log(level);
  context.options_file = command_line.options_file();
  return context.action();
}

}  // namespace

int run(int argc, char** argv) noexcept {
  process::harden();
  int code = kFailed;
  try {
    code = act(argc, argv);
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return finish_output(code);
}

}  // namespace qsp::cli
