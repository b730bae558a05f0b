#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/option_types.hpp"
#include "cli/session/connect.hpp"
#include "qsp/endpoint.hpp"
#include "text/units.hpp"

namespace qsp::cli {

void add_connect(Command& app, Context& context) {
  Command* const verb =
      app.add_subcommand("connect", "a secure pipe to a server: standard input goes there, its data comes out");
  const auto options = options_of<ConnectOptions>(*verb, context, run_connect);
  verb->add_option("TARGET", options->target,
                   "address of the server, such as localhost:7155 or [::1]:7155; without a port: 7155")
      ->required()
      ->type_name("HOST:PORT");
  add_session_options(*verb, Role::Client, options->session);
  verb->add_flag("--check-echo", options->check_echo, "the server echoes: compare what comes back with what was sent");
  verb->add_file("--send", options->send,
                 "file to send, and to compare with its echo; without it, standard input is sent");
  verb->add_file("--output", options->output, "file for the echo; an existing file is kept until the echo is complete");
  verb->add_file(
      "--account", options->account,
      "new file for the account: a line of JSON for each dial. It appears whole, or not at all if this process\nis "
      "killed. In a pipe, whose standard output is the peer's data, --json prints the account on standard error");
  verb->add_option("--window", options->window, "data that may be sent before its echo is back, 64K or more")
      ->check(is_size(Endpoint::kMaxPlaintext, std::uint64_t{1} << 30))
      ->type_name("SIZE")
      ->default_str(text::size_text(options->window));
  verb->add_option("--retry-for", options->retry_for,
                   "how long dialling may take in all: while the server is full or a budget of QKD keys is spent,\n"
                   "it dials again at growing intervals; 0: it dials once")
      ->check(is_time(std::chrono::nanoseconds(0), std::chrono::hours(24)))
      ->type_name("TIME")
      ->default_str("30s");
  verb->add_option("--rekey-after", options->rekey_after)->group("");
  set_help(
      *verb,
      {.notes = fmt::format("{} A client that dials too soon waits, for as long as --retry-for allows.\n"
                            "qsp version lists the algorithms.",
                            kBudgetHelp),
       .examples = {"tar c -C photos . | qsp connect bob.example:7155 --key alice.key --peers peers.toml --peer bob",
                    "qsp connect localhost:7155 --key alice.key --peers peers.toml --peer bob --send photo.jpg "
                    "--output echo.jpg",
                    "qsp connect localhost:7155 --profile rc155 --insecure",
                    "qsp connect [::1]:7155 --profile rc155 --insecure --send photo.jpg --output echo.jpg",
                    "echo hello | qsp connect localhost:7155 --profile rc155 --insecure --json"},
       .done = "everything was sent, and all of the peer's data arrived (and was equal, where the echo is checked)",
       .failed = "failed: one line on standard error says why"});
}

}  // namespace qsp::cli
