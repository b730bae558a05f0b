#include "cli/app.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <string>

#include "cli/command.hpp"
#include "cli/config_file.hpp"
#include "cli/e91.hpp"
#include "cli/fingerprint.hpp"
#include "cli/keygen.hpp"
#include "cli/kme.hpp"
#include "cli/pad.hpp"
#include "cli/process.hpp"
#include "cli/text.hpp"

namespace qsp::cli {
namespace {

void set_up_log(const std::string& level) {
  const auto colour = colour_on_stderr() ? spdlog::color_mode::always : spdlog::color_mode::never;
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour);
  auto log = std::make_shared<spdlog::logger>("qsp", std::move(sink));
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  log->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(log));
}

}  // namespace

int run(int argc, char** argv) noexcept try {
  harden_process();

  Context context;
  std::string level = "info";
  Command app("qsp: a quantum-safe secure channel\n", "qsp");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_flag("--json", context.json, "results on stdout as JSON");
  app.add_option("--log-level", level, "what the log on stderr tells")
      ->check(one_of({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
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

  const auto arguments = with_config_file(argc, argv);
  if (!arguments) {
    print_error(arguments.error());
    return kUsage;
  }
  switch (app.parse(*arguments)) {
    case Parsed::Verb:
      break;
    case Parsed::Help:
      return kOk;
    case Parsed::Error:
      return kUsage;
  }
  set_up_log(level);
  return context.action();
} catch (const std::exception& error) {
  print_error(error.what());
  return kFailed;
}

}  // namespace qsp::cli
