#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "cli/app.hpp"
#include "cli/close_text.hpp"
#include "cli/command.hpp"
#include "cli/echo_client.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/options_file.hpp"
#include "cli/output.hpp"
#include "cli/output_file.hpp"
#include "cli/pipe_client.hpp"
#include "cli/process.hpp"
#include "cli/qkd_budget.hpp"
#include "cli/redial.hpp"
#include "cli/sessions.hpp"
#include "cli/text.hpp"
#include "files/file.hpp"
#include "files/replacement.hpp"
#include "net/dial.hpp"

namespace qsp::cli {
namespace {

constexpr std::chrono::seconds kDialTimeout{10};

struct ConnectOptions {
  std::string target;
  SessionOptions session;
  bool check_echo = false;
  std::string send;
  std::string output;
  std::string account;
  std::size_t window = std::size_t{4} * 1024 * 1024;
  std::optional<std::uint64_t> rekey_after;
  double retry_for = 30;  ///< seconds
};

/// A descriptor that is closed with its owner, unless it is one of the process's own.
class File {
 public:
  explicit File(int fd) noexcept : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

std::expected<File, std::string> open_input(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // NOLINT(cppcoreguidelines-pro-type-vararg)
  if (fd < 0) {
    return std::unexpected(fmt::format("cannot open {}: {}", escape(path), std::generic_category().message(errno)));
  }
  return File(fd);
}

/// Where the account of each dial goes as a line of JSON. A pipe's standard output is the peer's data, so there it is
/// standard error, unless a file is named.
class AccountLines {
 public:
  /// A file must be new.
  static std::expected<AccountLines, std::string> open(const std::string& file) {
    AccountLines lines;
    constexpr unsigned kOwnerOnly = 0600;
    if (file.empty()) return lines;
    auto made = files::create_file(file, kOwnerOnly);
    if (!made) return std::unexpected("--account " + made.error());
    lines.file_ = file;
    lines.open_ = std::move(*made);
    return lines;
  }
  [[nodiscard]] bool has_file() const noexcept { return static_cast<bool>(open_); }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

  void add(const boost::json::object& account, bool pipe) {
    if (!has_file()) return pipe ? write_err(json_line(account)) : print_json(account);
    const std::string line = json_line(account);
    if (auto done = files::write_at(open_.get(), file_, as_bytes(line), size_); !done) problem_ = done.error();
    size_ += line.size();
  }

 private:
  std::string file_;
  files::Descriptor open_;
  std::size_t size_ = 0;
  std::string problem_;  ///< of writing it
};

/// Everything that one run of the verb needs while its loop turns.
struct Run {
  const Setup& setup;
  Sessions& sessions;
  net::Address target;
  bool check_echo;
  bool without_qkd;  ///< the one dial of SPEC §5.9
  std::size_t window;
  File& input;
  std::optional<files::Replacement>& output;
  AccountLines& account;
  net::Loop loop{};
  boost::asio::signal_set signals{loop.io(), SIGINT, SIGTERM};
  net::ConnectionPtr client{};
  boost::intrusive_ptr<PipeClient> pipe{};  ///< the same, where it is one
  EchoReport report{};
  PipeClientReport pipe_report{};
  std::string failure{};  ///< before there was a session
  bool interrupted = false;

  [[nodiscard]] const Profile& profile() const noexcept { return setup.profile(); }
};

/// A terminal that goes away ends the session in good order too, unless whoever started this wants it to live on
/// (nohup).
void watch_hangup(Run& run) {
  if (is_ignored(SIGHUP)) return;
  net::error_code ignored;  // it ends the process then, as it always did
  run.signals.add(SIGHUP, ignored);
}

void close_on_signal(Run& run) {
  run.signals.async_wait([&run](const net::error_code& cancelled, int) {
    if (cancelled) return;
    if (std::exchange(run.interrupted, true) || !run.client) {
      if (run.output) run.output->discard();
      ::_exit(kFailed);
    }
    run.client->close(Reason::Normal, "interrupted");
    close_on_signal(run);
  });
}

boost::asio::awaitable<void> connect_to_peer(Run& run) {
  std::expected<net::Dialled, std::string> dialled = co_await net::dial(run.loop, run.target, kDialTimeout);
  if (!dialled) {
    run.failure = dialled.error();
    run.signals.cancel();
    co_return;
  }
  Result<std::unique_ptr<Endpoint>> endpoint = run.sessions.make(run.without_qkd);
  std::expected<net::Watch, net::error_code> watch = net::Watch::open(run.loop, run.input.get());
  if (!endpoint || !watch) {
    run.failure = endpoint ? fmt::format("cannot watch the input: {}", watch.error().message())
                           : fmt::format("cannot make a session: {}", endpoint.error().where);
    run.signals.cancel();
    co_return;
  }
  // Output may still be on its way; from here on a signal ends the process as it would any other.
  const auto finished = [&run] {
    net::error_code ignored;  // it has nothing left to fail at
    run.signals.clear(ignored);
    run.signals.cancel(ignored);
  };
  if (run.check_echo) {
    EchoClient::Files files{
        .input = run.input.get(), .watch = std::move(*watch), .output = run.output ? run.output->get() : -1};
    files.show = !run.output && ::isatty(run.input.get()) == 1 && ::isatty(STDOUT_FILENO) == 1;
    auto* const echo =
        new EchoClient(run.loop, std::move(dialled->socket), dialled->peer, std::move(*endpoint), std::move(files),
                       {.half_close = run.profile().half_close, .window = run.window}, run.report);
    run.client = echo;
    echo->when_finished(finished);
  } else {
    run.pipe = new PipeClient(run.loop, std::move(dialled->socket), dialled->peer, std::move(*endpoint),
                              run.setup.stall_limit(), run.pipe_report);
    run.client = run.pipe;
    run.pipe->when_finished(finished);
  }
  if (auto* const delivery = run.sessions.delivery(); delivery != nullptr) run.client->set_key_delivery(*delivery);
  run.client->start();
}

/// The identity that the server presented, where it is not the pinned one.
std::string stranger(const Run& run) {
  const auto* const channel = run.client ? dynamic_cast<const Channel*>(&run.client->endpoint()) : nullptr;
  const auto presented = channel != nullptr ? channel->presented_identity() : std::nullopt;
  return presented ? run.setup.describe_stranger(*presented) : std::string();
}

const std::optional<Closed>& closed_of(const Run& run) noexcept {
  return run.check_echo ? run.report.closed : run.pipe_report.closed;
}

/// Whether the server said that it has no room (SPEC §5.8). It takes from a budget of QKD keys only once this end has
/// named a key; from then on LIMIT is taken for a spent budget, which is waited for longer.
bool server_is_full(const Run& run) {
  const auto& closed = closed_of(run);
  return run.client && closed && closed->by_peer && closed->reason == Reason::Limit && !run.client->established() &&
         !run.client->asked_for_key();
}

bool budget_is_spent(const Run& run) {
  const auto& closed = closed_of(run);
  return run.client && closed && !run.client->established() && is_spent_budget(*closed) && !server_is_full(run);
}

/// The connection went away under a session that was established: killed, cut or reset, all the same from here.
std::string connection_lost(const std::string& transport) {
  return fmt::format("connection lost{}{}", transport.empty() ? "" : ": ", transport);
}

std::string explain_handshake(const Run& run, const Closed& closed) {
  const std::string target = net::to_string(run.target);
  if (server_is_full(run)) {
    return fmt::format("{} is full: it has no room for another session now (try again later, or see its log)", target);
  }
  if (const auto& foreign = run.client->foreign()) {
    return fmt::format("{} is {} {} server, not a qsp server: check the address", target, foreign->article,
                       foreign->name);
  }
  if (is_spent_budget(closed)) return explain_spent_budget(target, closed);
  if (closed.by_peer && closed.reason == Reason::QkdUnavailable) {
    return fmt::format("{} refused the session ({}): this end has the key; see the other end's log, its KME or its pad",
                       target, close_text(closed));
  }
  if (closed.reason == Reason::QkdUnavailable) {
    return fmt::format("no session with {} ({}): see the log above, and this end's KME or pad", target,
                       close_text(closed));
  }
  if (const std::string wrong = closed.by_peer ? std::string() : stranger(run); !wrong.empty()) {
    return fmt::format("the handshake with {} failed ({}): {}; compare both with its operator (qsp fingerprint)",
                       target, name(closed.reason), wrong);
  }
  const bool ends_differ = closed.reason == Reason::HandshakeFailed || closed.reason == Reason::NoCommonSuite;
  if (closed.by_peer) {
    return fmt::format("{} refused the session ({}): {}see its log", target, close_text(closed),
                       ends_differ ? "compare keys, suites and policies of both ends, and " : "");
  }
  if (run.client->cut_off()) {
    const std::string& transport = run.check_echo ? run.report.transport : run.pipe_report.transport;
    if (!run.profile().danger.empty() && !run.client->heard_anything()) {
      // This profile cannot say it; so it may be the only reason.
      return fmt::format(
          "{} ended the connection during the handshake without a word{}{}: it is full (try again later), or no qsp "
          "server of profile {} "
          "(check the address); see its log",
          target, transport.empty() ? "" : ": ", transport, run.profile().name);
    }
    return fmt::format(
        "{} ended the connection during the handshake{}{}: compare --profile on both ends, and see its log", target,
        transport.empty() ? "" : ": ", transport);
  }
  if (closed.reason == Reason::Timeout) {
    return fmt::format("{} did not finish the handshake in time: check that it is a qsp server of profile {}", target,
                       run.profile().name);
  }
  if (closed.reason == Reason::InternalError) {
    return fmt::format("no session with {} ({}): this end failed, not the peer: see the log above", target,
                       close_text(closed));
  }
  if (closed.reason != Reason::ProtocolError) {
    return fmt::format("the handshake with {} failed ({}): compare keys, suites and policies of both ends", target,
                       close_text(closed));
  }
  return fmt::format("{} does not speak profile {} ({}): check the address, and --profile on both ends", target,
                     run.profile().name, close_text(closed));
}

/// What to do about a session that this end gave up.
std::string_view session_advice(Reason reason) noexcept {
  switch (reason) {
    case Reason::QkdUnavailable:
      return "see the log above, and the KMEs or pads of both ends";
    case Reason::Limit:
      return "connect again";
    case Reason::Timeout:
      return "whoever reads what came was too slow, or the network is";
    case Reason::InternalError:
      return "this end failed, not the peer: see the log above";
    case Reason::Normal:
    case Reason::ProtocolError:
    case Reason::AeadDecryptFailed:
    case Reason::EpochMismatch:
    case Reason::RekeyFailed:
    case Reason::HandshakeFailed:
    case Reason::NoCommonSuite:
      break;
  }
  return "the peer broke the protocol, or bytes were altered on the way";
}

/// Why the run failed, in one line that says what to do; nothing if it did not.
std::optional<std::string> explain(const Run& run) {
  const EchoReport& report = run.report;
  if (!run.failure.empty()) return run.failure;
  if (!report.local_failure.empty()) return report.local_failure;
  if (!report.closed) return "the connection failed before it began";
  const Closed& closed = *report.closed;
  const std::string missing = fmt::format("{} bytes were not echoed", grouped(report.missing_bytes));
  if (run.interrupted && closed.reason == Reason::Normal && !closed.by_peer) {
    if (report.missing_bytes == 0) return std::nullopt;
    return fmt::format("interrupted: {}", missing);
  }
  if (!report.established) return explain_handshake(run, closed);
  if (closed.by_peer && closed.reason != Reason::Normal) {
    return fmt::format("the peer closed the session ({}); {}", close_text(closed), missing);
  }
  if (closed.by_peer && (!report.input_done || report.missing_bytes != 0)) {
    return fmt::format("the peer closed the session ({}) before all was sent and echoed; {}", close_text(closed),
                       missing);
  }
  if (run.client->cut_off()) {
    return fmt::format("{}: what came is {}incomplete; {}: connect again", connection_lost(report.transport),
                       run.profile().danger.empty() ? "genuine but " : "", missing);
  }
  if (closed.reason != Reason::Normal) {
    return fmt::format("the session failed ({}); {}: {}", close_text(closed), missing, session_advice(closed.reason));
  }
  return std::nullopt;
}

/// The same for a pipe, whose peer need not echo anything.
std::optional<std::string> explain_pipe(const Run& run) {
  const PipeClientReport& report = run.pipe_report;
  if (!run.failure.empty()) return run.failure;
  if (run.pipe && !run.pipe->report().failure.empty()) return run.pipe->report().failure;
  if (!report.closed) return "the connection failed before it began";
  const Closed& closed = *report.closed;
  if (!report.established) return explain_handshake(run, closed);
  if (run.interrupted) return "interrupted: the peer may have more data";
  if (run.client->cut_off()) {
    return fmt::format("{}: {}", connection_lost(report.transport),
                       closed.truncated ? "what came is genuine but incomplete"
                       : run.pipe->report().input_sent
                           ? "what came is complete, but the peer may lack some of the input"
                           : "what came is complete, but not all of the input was sent");
  }
  const std::string how = closed.by_peer ? "the peer closed the session" : "the session ended";
  if (closed.reason == Reason::Normal && !closed.truncated) {
    if (run.pipe->report().input_sent) return std::nullopt;
    return fmt::format("{} ({}) before all was sent: what came is complete", how, close_text(closed));
  }
  return fmt::format("{} ({}){}{}: what came is genuine{}", how, close_text(closed),
                     report.transport.empty() ? "" : ": ", report.transport,
                     closed.truncated ? ", but not complete" : "");
}

void print_account(const Context& context, Run& run, const std::optional<std::string>& failure) {
  const EchoReport& report = run.report;
  const double seconds = std::chrono::duration<double>(report.elapsed).count();
  const double rate = seconds > 0 ? static_cast<double>(report.compared_bytes) / seconds / 1e6 : 0;
  const std::uint32_t rekeys = report.epoch > 0 ? report.epoch - 1 : 0;
  const std::string reason = report.closed ? close_text(*report.closed) : "";
  if (context.json || run.account.has_file()) {
    boost::json::object account{{"ok", !failure},
                                {"sent_bytes", report.sent_bytes},
                                {"sent_frames", report.sent_frames},
                                {"received_bytes", report.received_bytes},
                                {"compared_bytes", report.compared_bytes},
                                {"missing_bytes", report.missing_bytes},
                                {"final_epoch", report.epoch},
                                {"rekeys", rekeys},
                                {"elapsed_sec", seconds},
                                {"mb_per_sec", rate},
                                {"closed", report.closed ? name(report.closed->reason) : ""},
                                {"closed_by_peer", report.closed && report.closed->by_peer},
                                {"truncated", report.closed && report.closed->truncated}};
    account["error"] = failure ? boost::json::value(*failure) : boost::json::value(nullptr);
    run.account.add(account, false);
  }
  if (context.json || !report.established) return;
  print_out("sent      {} bytes in {} frames\n", grouped(report.sent_bytes), grouped(report.sent_frames));
  print_out("received  {} bytes, of which {} compared equal\n", grouped(report.received_bytes),
            grouped(report.compared_bytes));
  print_out("rekeys    {} (last epoch {})\n", rekeys, report.epoch);
  print_out("time      {:.3f} s, {:.1f} MB/s each way\n", seconds, rate);
  print_out("closed    {}\n", reason);
}

void print_pipe_account(const Context& context, Run& run, const std::optional<std::string>& failure) {
  const PipeClientReport& report = run.pipe_report;
  if (!context.json && !run.account.has_file()) return;
  boost::json::object account{{"ok", !failure},
                              {"sent_bytes", report.traffic.sent_bytes},
                              {"received_bytes", report.traffic.received_bytes},
                              {"closed", report.closed ? name(report.closed->reason) : ""},
                              {"closed_by_peer", report.closed && report.closed->by_peer},
                              {"truncated", report.closed && report.closed->truncated}};
  if (report.established && report.status) {
    account["peer"] = report.status->peer;
    account["qkd_mixed"] = report.status->qkd_mixed;
    account["without_qkd"] = report.status->without_qkd;
    account["final_epoch"] = report.status->current.epoch;
  }
  account["error"] = failure ? boost::json::value(*failure) : boost::json::value(nullptr);
  run.account.add(account, true);
}

/// One dial, from resolving the name to the end of the session.
void dial_once(Run& run) {
  watch_hangup(run);
  close_on_signal(run);
  boost::asio::co_spawn(run.loop.executor(), connect_to_peer(run), boost::asio::detached);
  run.loop.run();
}

/// How long to wait before another dial, after one that only came too soon; nothing where none may help.
std::optional<std::chrono::nanoseconds> pause_after(const Run& run, Redial& redial) {
  const Instant now = net::Loop::now();
  std::optional<std::chrono::nanoseconds> pause;
  std::string why;
  if (run.interrupted) return std::nullopt;
  if (server_is_full(run)) {
    pause = redial.pause_for_room(now);
    why = net::to_string(run.target) + " is full";
  } else if (budget_is_spent(run)) {
    pause = redial.pause_for_budget(now);
    why = closed_of(run)->by_peer ? net::to_string(run.target) + "'s budget of QKD keys is spent, or it has no room now"
                                  : "this end's budget of QKD keys is spent";
  }
  if (pause) spdlog::warn("{}: trying again in {:.1f} s", why, std::chrono::duration<double>(*pause).count());
  return pause;
}

/// Dials until the server has room and keys, for as long as the user said; a signal in a pause ends the process.
/// `make_run` makes what one dial needs.
std::unique_ptr<Run> dial_until_there(Redial& redial, const std::function<std::unique_ptr<Run>()>& make_run) {
  for (;;) {
    std::unique_ptr<Run> run = make_run();
    dial_once(*run);
    const auto pause = pause_after(*run, redial);
    if (!pause) return run;
    run.reset();
    std::this_thread::sleep_for(*pause);
  }
}

/// Whether two names lead to one file, which need not be there.
bool is_same_name(const std::string& one, const std::string& other) {
  std::error_code failed;
  const auto first = std::filesystem::weakly_canonical(one, failed);
  if (failed || other.empty()) return false;
  const auto second = std::filesystem::weakly_canonical(other, failed);
  return !failed && first == second;
}

/// Tells how it went. Returns why it failed, if it did.
std::optional<std::string> account_for(const Context& context, Run& run) {
  const std::optional<std::string> failure = run.check_echo ? explain(run) : explain_pipe(run);
  if (run.check_echo) {
    print_account(context, run, failure);
  } else {
    print_pipe_account(context, run, failure);
  }
  return failure;
}

int connect(const Context& context, const ConnectOptions& options) {
  const auto stop = [](int code, std::string_view text) {
    print_error(text);
    return code;
  };
  if (options.rekey_after) return stop(kUsage, "the server leads rekeys: give --rekey-after to qsp serve");
  const auto target = net::parse_address(options.target);
  if (!target) return stop(kUsage, target.error());
  if (target->port == 0) return stop(kUsage, "address: there is no port 0 to connect to");
  const auto retry_for =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(options.retry_for));
  if (!options.output.empty() && is_same_name(options.output, options.account)) {
    return stop(kUsage, "--output and --account are one file");
  }
  if (!options.output.empty()) {
    std::vector<InputFile> inputs = files_of(options.session);
    inputs.push_back({"the file to send", options.send});
    inputs.push_back({"the option file", options_file_in_use()});
    if (const auto refused = refuse_output(options.output, inputs)) return stop(kUsage, *refused);
  }
  const auto setup = Setup::load(options.session, Role::Client);
  if (!setup) return stop(setup.error().code, setup.error().text);
  auto sessions = (*setup)->sessions();
  if (!sessions) return stop(kFailed, sessions.error());
  // rc155 cannot say that data is complete, so it has no pipe.
  const bool check_echo =
      options.check_echo || !options.send.empty() || !options.output.empty() || !(*setup)->profile().half_close;

  std::expected<File, std::string> input(File(STDIN_FILENO));
  if (!options.send.empty()) input = open_input(options.send);
  if (!input) return stop(kFailed, input.error());
  std::optional<files::Replacement> output;
  if (!options.output.empty()) {
    if (const auto refused = refuse_output(options.output, files_of(**setup))) return stop(kUsage, *refused);
    constexpr unsigned kOwnerOnly = 0600;
    auto begun = files::Replacement::begin(options.output, kOwnerOnly);
    if (!begun) return stop(kFailed, begun.error());
    output.emplace(*std::move(begun));
  }

  auto account = AccountLines::open(options.account);
  if (!account) return stop(kFailed, account.error());
  std::optional<std::string> failure;
  Redial redial(retry_for, net::Loop::now(), std::random_device()());
  for (const bool without_qkd : {false, true}) {
    const auto run = dial_until_there(redial, [&] {
      return std::unique_ptr<Run>(new Run{.setup = **setup,
                                          .sessions = **sessions,
                                          .target = *target,
                                          .check_echo = check_echo,
                                          .without_qkd = without_qkd,
                                          .window = options.window,
                                          .input = *input,
                                          .output = output,
                                          .account = *account});
    });
    failure = account_for(context, *run);
    if (!failure || !(check_echo ? run->report.may_redial_without_qkd : run->pipe_report.may_redial_without_qkd)) break;
    if (!without_qkd) spdlog::warn("{}; QKD is preferred, not required: dialling again WITHOUT a QKD key", *failure);
  }
  if (!failure && !account->problem().empty()) failure = account->problem();
  if (failure && output) *failure += output->replaces() ? fmt::format("; {} is as it was", escape(options.output)) : "";
  if (failure) return stop(kFailed, *failure);
  if (output) {
    if (const auto kept = output->commit(); !kept) return stop(kFailed, kept.error());
  }
  return kOk;
}

}  // namespace

void add_connect(Command& app, Context& context) {
  Command* const verb =
      app.add_subcommand("connect", "a secure pipe to a server: standard input goes there, its data comes out");
  const auto options = std::make_shared<ConnectOptions>();
  verb->add_option("target", options->target,
                   "address of the server, such as localhost:7155 or [::1]:7155; no port: 7155")
      ->required()
      ->type_name("HOST:PORT");
  add_session_options(*verb, Role::Client, options->session);
  verb->add_flag("--check-echo", options->check_echo, "the server echoes: compare what comes back with what was sent");
  verb->add_option("--send", options->send, "file to send, and whose echo to check; otherwise stdin is sent")
      ->type_name("FILE");
  verb->add_option("--output", options->output, "file to store the echo in; the old one stays until all has come")
      ->type_name("FILE");
  verb->add_option("--account", options->account,
                   "new file for the account of each dial, as a line of JSON; in a pipe, whose standard output is the\n"
                   "peer's data, --json prints it on standard error")
      ->type_name("FILE");
  verb->add_option("--window", options->window, "data that may be sent and not echoed yet, 64K or more")
      ->transform(is_size(Endpoint::kMaxPlaintext, std::uint64_t{1} << 30))
      ->type_name("SIZE")
      ->default_str(size_text(options->window));
  verb->add_option(
          "--retry-for", options->retry_for,
          "how long to dial again, ever more slowly, while the server is full or a budget of QKD keys is spent;\n"
          "0: not at all")
      ->transform(is_time(std::chrono::nanoseconds(0), std::chrono::hours(24)))
      ->type_name("TIME")
      ->default_str("30s");
  verb->add_option("--rekey-after", options->rekey_after)->group("");
  set_help(
      *verb,
      {.notes = fmt::format("{} A client that comes too soon waits, as long as --retry-for lets it.\n"
                            "qsp version lists the algorithms.",
                            kBudgetHelp),
       .examples = {"tar c -C photos . | qsp connect bob.example:7155 --key alice.key --peers peers.toml --peer bob",
                    "qsp connect localhost:7155 --key alice.key --peers peers.toml --peer bob --send photo.jpg "
                    "--output echo.jpg",
                    "qsp connect localhost:7155 --profile rc155 --insecure",
                    "qsp connect [::1]:7155 --profile rc155 --insecure --send photo.jpg --output echo.jpg",
                    "echo hello | qsp connect localhost:7155 --profile rc155 --insecure --json"},
       .done = "all was sent and all that the peer had came (and was equal, where the echo is checked)",
       .failed = "not so: one line on standard error says why"});
  verb->callback([options, &context] { context.action = [options, &context] { return connect(context, *options); }; });
}

}  // namespace qsp::cli
