#include "cli/session/connect.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/session/client_account.hpp"
#include "cli/session/dial_log.hpp"
#include "cli/session/setting_names.hpp"
#include "cli/text.hpp"
#include "files/file.hpp"
#include "files/replacement.hpp"
#include "node/dial.hpp"
#include "node/dial_explain.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

/// Whether two names lead to one file, which need not be there.
bool is_same_name(const std::string& one, const std::string& other) {
  std::error_code failed;
  const auto first = std::filesystem::weakly_canonical(one, failed);
  if (failed || other.empty()) return false;
  const auto second = std::filesystem::weakly_canonical(other, failed);
  return !failed && first == second;
}

/// Of an output that would take the place of a file that is read.
std::optional<std::string> refuse_output(const std::string& output, const std::vector<files::InputFile>& inputs) {
  return files::would_replace(output, inputs).transform([&](const std::string& what) {
    return fmt::format("--output {}: that is {}, and would be overwritten; choose another file",
                       text::terminal_escape(output), what);
  });
}

/// What can be said of the options before any file is read: the address to dial.
std::expected<net::Address, Refused> check(const Context& context, const ConnectOptions& options) {
  if (options.rekey_after) return refuse_usage("the server leads rekeys: give --rekey-after to qsp serve");
  const auto target = net::parse_address(options.target);
  if (!target) return refuse_usage(target.error());
  if (target->port == 0) return refuse_usage("address: there is no port 0 to connect to");
  if (!options.output.empty() && is_same_name(options.output, options.account)) {
    return refuse_usage("--output and --account are one file");
  }
  if (!options.output.empty()) {
    std::vector<files::InputFile> inputs = files_of(options.session);
    inputs.push_back({"the file to send", options.send});
    inputs.push_back({"the option file", context.options_file});
    if (const auto refused = refuse_output(options.output, inputs)) return refuse_usage(*refused);
  }
  return *target;
}

/// What is sent, read and written. Standard input stays the process's own.
struct Files {
  files::Descriptor sent;  ///< --send
  std::optional<files::Replacement> output;

  [[nodiscard]] int input() const noexcept { return sent ? sent.get() : STDIN_FILENO; }
};

std::expected<Files, Refused> open_files(const ConnectOptions& options, const node::LocalEnd& end) {
  Files files;
  if (!options.send.empty()) {
    files.sent = files::Descriptor(::open(options.send.c_str(), O_RDONLY | O_CLOEXEC));
    const int why = errno;
    if (!files.sent) {
      return refuse(
          fmt::format("cannot open {}: {}", text::terminal_escape(options.send), std::generic_category().message(why)));
    }
  }
  if (!options.output.empty()) {
    std::vector<files::InputFile> pinned;
    for (const std::string& file : end.pinned_key_files()) pinned.push_back({"a pinned public key", file});
    if (const auto refused = refuse_output(options.output, pinned)) return refuse_usage(*refused);
    auto begun = files::Replacement::begin(options.output, files::kOwnerOnly);
    if (!begun) return refuse(begun.error());
    files.output.emplace(*std::move(begun));
  }
  return files;
}

/// What all went well with takes the place of the old output; what did not leaves it, and says so.
std::optional<std::string> settle_output(std::optional<files::Replacement>& output, const std::string& name,
                                         std::optional<std::string> failure) {
  if (!output) return failure;
  if (failure)
    return output->replaces() ? fmt::format("{}; {} is as it was", *failure, text::terminal_escape(name)) : *failure;
  const auto kept = output->commit();
  return kept ? std::nullopt : std::optional(kept.error());
}

/// The account is kept whatever became of the dials. Why they failed, if they did, or why it could not be kept.
std::optional<std::string> keep(AccountLines& account, std::optional<std::string> failure) {
  const auto kept = account.commit();
  if (kept) return failure;
  if (!failure) return kept.error();
  print_warning(kept.error());
  return failure;
}

node::DialApplication application_of(const ConnectOptions& options, const Files& files, bool check_echo) {
  if (!check_echo) return node::CarryPipe{.input = files.input(), .output = STDOUT_FILENO};
  node::CheckEcho checked{.input = files.input(), .window = options.window};
  if (files.output) checked.output = files.output->get();
  if (!files.output && ::isatty(checked.input) == 1 && ::isatty(STDOUT_FILENO) == 1) {
    checked.show = [](Bytes echo) {
      print_out("{}", text::terminal_escape_lines(as_text(echo)));
      flush_out();
    };
  }
  return checked;
}

/// Nothing where all went well.
std::expected<void, Refused> connect(const Context& context, const ConnectOptions& options) {
  QSP_TRY(const auto target, check(context, options));
  QSP_TRY(const auto end, end_config(options.session, Role::Client));
  DialLog log(context);
  const auto opened =
      node::Dial::open({.end = end, .target = target, .retry_for = from_seconds(options.retry_for)}, log);
  if (!opened) return refuse(opened.error());
  node::Dial& dial = **opened;
  QSP_TRY(auto files, open_files(options, dial.end()));
  auto account = AccountLines::open(options.account);
  if (!account) return refuse(account.error());
  // rc155 cannot say that data is complete, so it has no pipe.
  const node::Profile& profile = dial.end().profile();
  const bool check_echo = options.check_echo || !options.send.empty() || !options.output.empty() || !profile.half_close;
  const node::Dialled dialled{
      .target = net::to_string(target), .profile = profile, .check_echo = check_echo, .name = option_name};
  DialSignals signals(dial, [&](bool first) {
    if (first) {
      const auto failure = explain(dial.report(), dialled);
      account_for(context, dial.report(), dialled, failure, *account);
      print_error(keep(*account, failure).value_or(""));
    }
    if (files.output) files.output->discard();
    account->discard();
    ::_exit(kFailed);
  });
  log.tell_of(dialled, *account, signals);
  const node::DialReport report = dial.run(application_of(options, files, check_echo));
  auto failure = settle_output(files.output, options.output, explain(report, dialled));
  account_for(context, report, dialled, failure, *account);
  failure = keep(*account, std::move(failure));
  if (failure) return refuse(std::move(*failure));
  return {};
}

}  // namespace

int run_connect(const ConnectOptions& options, const Context& context) {
  const auto done = connect(context, options);
  return done ? kOk : failed(done.error().text, done.error().code);
}

}  // namespace qsp::cli
