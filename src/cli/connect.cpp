#include "cli/connect.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <expected>
#include <filesystem>
#include <memory>
#include <random>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/client_account.hpp"
#include "cli/client_dials.hpp"
#include "cli/client_explain.hpp"
#include "cli/client_run.hpp"
#include "cli/options_file.hpp"
#include "cli/output_file.hpp"
#include "cli/text.hpp"
#include "files/file.hpp"
#include "files/replacement.hpp"
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

/// What can be said of the options before any file is read: the address to dial.
std::expected<net::Address, Refused> check(const ConnectOptions& options) {
  if (options.rekey_after) return refuse_usage("the server leads rekeys: give --rekey-after to qsp serve");
  const auto target = net::parse_address(options.target);
  if (!target) return refuse_usage(target.error());
  if (target->port == 0) return refuse_usage("address: there is no port 0 to connect to");
  if (!options.output.empty() && is_same_name(options.output, options.account)) {
    return refuse_usage("--output and --account are one file");
  }
  if (!options.output.empty()) {
    std::vector<InputFile> inputs = files_of(options.session);
    inputs.push_back({"the file to send", options.send});
    inputs.push_back({"the option file", options_file_in_use()});
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

std::expected<Files, Refused> open_files(const ConnectOptions& options, const Setup& setup) {
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
    if (const auto refused = refuse_output(options.output, files_of(setup))) return refuse_usage(*refused);
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

/// With QKD keys, and where that may help and is allowed once more without (SPEC §5.9). Tells of each dial. Why it
/// failed, if it did.
std::optional<std::string> dial(const Context& context, const ConnectOptions& options, const ClientSetup& common,
                                Redial& redial, AccountLines& account) {
  const auto repeated = [&](const ClientRun& run) { account_for(context, run, explain(run), account); };
  std::unique_ptr<ClientRun> run;
  for (bool without_qkd = false;; without_qkd = true) {
    run = dial_until_there(common, without_qkd, redial, repeated);
    auto failure = explain(*run);
    const bool last = !failure || without_qkd || !run->may_redial_without_qkd() || net::Loop::now() >= redial.dial_by();
    if (last) failure = settle_output(common.output, options.output, std::move(failure));
    account_for(context, *run, failure, account);
    if (last) return failure;
    spdlog::warn("{}; QKD is preferred, not required: dialling again WITHOUT a QKD key", *failure);
  }
}

/// Nothing where all went well.
std::expected<void, Refused> connect(const Context& context, const ConnectOptions& options) {
  const auto target = check(options);
  if (!target) return std::unexpected(target.error());
  const auto setup = Setup::load(options.session, Role::Client);
  if (!setup) return std::unexpected(setup.error());
  auto sessions = (*setup)->sessions();
  if (!sessions) return refuse(sessions.error());
  auto files = open_files(options, **setup);
  if (!files) return std::unexpected(files.error());
  auto account = AccountLines::open(options.account);
  if (!account) return refuse(account.error());
  // rc155 cannot say that data is complete, so it has no pipe.
  const bool check_echo =
      options.check_echo || !options.send.empty() || !options.output.empty() || !(*setup)->profile().half_close;
  const auto retry_for =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(options.retry_for));
  Redial redial(retry_for, net::Loop::now(), std::random_device()());
  const auto tell_all = [&](const std::optional<std::string>& failure) -> std::optional<std::string> {
    const auto kept = account->commit();
    if (kept || failure) {
      if (!kept) print_warning(kept.error());
      return failure;
    }
    return kept.error();
  };
  const auto interrupt = [&](const ClientRun& run) {
    const auto failure = explain(run);
    account_for(context, run, failure, *account);
    print_error(tell_all(failure).value_or(""));
  };
  const ClientSetup common{.setup = **setup,
                           .sessions = **sessions,
                           .target = *target,
                           .check_echo = check_echo,
                           .window = options.window,
                           .input = files->input(),
                           .output = files->output,
                           .dial_by = redial.dial_by(),
                           .interrupt = interrupt,
                           .discard = [&] {
                             if (files->output) files->output->discard();
                             account->discard();
                           }};
  const auto failure = tell_all(dial(context, options, common, redial, *account));
  if (failure) return refuse(*failure);
  return {};
}

}  // namespace

int run_connect(const Context& context, const ConnectOptions& options) {
  const auto done = connect(context, options);
  if (done) return kOk;
  print_error(done.error().text);
  return done.error().code;
}

}  // namespace qsp::cli
