#include "net/application.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>
#include <vector>

#include "net/dial.hpp"

namespace qsp::net {
namespace {

constexpr std::chrono::seconds kDialTimeout{10};
/// Between two looks at a process group that was asked to end.
constexpr std::chrono::milliseconds kGroupLook{50};
constexpr int kStatusUnknown = 255;  ///< of a child that somebody else waited for: not 0

/// The two ends of a pipe.
struct PipePair {
  files::Descriptor read_end, write_end;

  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read_end = files::Descriptor(ends[0]);
    write_end = files::Descriptor(ends[1]);
    return true;
  }
};

/// The environment of this process and one variable more.
class Environment {
 public:
  explicit Environment(std::string variable) : variable_(std::move(variable)) {
    for (char** entry = ::environ; *entry != nullptr; ++entry) entries_.push_back(*entry);
    entries_.push_back(variable_.data());
    entries_.push_back(nullptr);
  }
  [[nodiscard]] char** get() noexcept { return entries_.data(); }

 private:
  std::string variable_;
  std::vector<char*> entries_;
};

}  // namespace

void ForwardConnection::handle_established() {
  asio::co_spawn(
      loop().executor(),
      [self = ConnectionPtr(this), this]() -> asio::awaitable<void> {
        auto dialled = co_await dial(loop(), target_, kDialTimeout);
        if (!dialled) {
          give_up(Reason::InternalError, fmt::format("cannot forward: {}", dialled.error()));
          co_return;
        }
        error_code failed;
        dialled->socket.native_non_blocking(true, failed);
        error_code kept;
        const int fd = failed ? -1 : dialled->socket.release(kept);
        if (failed || kept) {
          give_up(Reason::InternalError, "cannot forward: the socket cannot be used");
          co_return;
        }
        if (const auto attached = attach(PipeEnds(PipeEnds::Kind::Stream, fd, fd)); !attached) {
          give_up(Reason::InternalError, attached.error());
          co_return;
        }
        wake();
      },
      asio::detached);
}

void ExecConnection::handle_established() {
  if (const auto failed = start()) give_up(Reason::InternalError, *failed);
}

/// Why the command could not be started, if so.
std::optional<std::string> ExecConnection::start() {
  PipePair input;
  PipePair output;
  if (!input.open() || !output.open()) return "cannot run the command: no pipe";
  ::fcntl(input.write_end.get(), F_SETFL, O_NONBLOCK);  // NOLINT(cppcoreguidelines-pro-type-vararg)
  ::fcntl(output.read_end.get(), F_SETFL, O_NONBLOCK);  // NOLINT(cppcoreguidelines-pro-type-vararg)

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input.read_end.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.write_end.get(), STDOUT_FILENO);
  // Not every socket of this process is closed on exec, and none is the command's business.
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  // This process ignores SIGPIPE and blocks nothing; a command expects the defaults.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::string shell = "sh";
  std::string option = "-c";
  std::string command = command_;
  std::array<char*, 4> arguments{shell.data(), option.data(), command.data(), nullptr};
  Environment environment("QSP_PEER=" + endpoint().status().peer);
  const int failed = ::posix_spawn(&child_, "/bin/sh", &actions, &attributes, arguments.data(), environment.get());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    child_ = -1;
    return fmt::format("cannot run the command: {}", std::generic_category().message(failed));
  }
  group_ = child_;
  groups_.add(group_);
  watch_child();
  const auto attached = attach(PipeEnds(PipeEnds::Kind::Pipes, output.read_end.release(), input.write_end.release()));
  if (!attached) return attached.error();
  return std::nullopt;
}

void ExecConnection::watch_child() {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg)
  child_fd_ = files::Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
  if (child_fd_) {
    if (auto watch = Watch::open(loop(), child_fd_.get())) child_watch_.emplace(std::move(*watch));
  }
  await_child();
}

/// A watch may tell too early, and there is none where no descriptors are left.
void ExecConnection::await_child() {
  const auto look = [self = ConnectionPtr(this), this] {
    reap();
    if (child_ >= 0) await_child();
  };
  if (child_watch_) return child_watch_->wait(look);
  group_timer_.expires_after(kGroupLook);
  group_timer_.async_wait([look](const error_code& cancelled) {
    if (!cancelled) look();
  });
}

/// The command has ended: only now is it known whether its output is complete.
void ExecConnection::reap() {
  int status = 0;
  if (child_ < 0) return;
  const int ended = ::waitpid(child_, &status, WNOHANG);
  if (ended == 0) return;
  child_ = -1;
  status = ended < 0 ? kStatusUnknown : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (endpoint().phase() != Phase::Established) return;
  pump().judge_input(status == 0 ? std::string() : fmt::format("the command ended with status {}", status));
  wake();
}

void ExecConnection::handle_finished() {
  PumpedConnection::handle_finished();
  end_group();
}

/// The whole process group, so that a pipeline goes with its shell, and what the command left behind with it.
void ExecConnection::end_group() {
  if (group_ < 0) return;
  reap();
  if (!group_lives(group_)) return group_is_over();
  ::kill(-group_, SIGTERM);
  look_at_group(Loop::now() + ProcessGroups::kGrace);
}

void ExecConnection::look_at_group(Instant deadline) {
  group_timer_.expires_after(kGroupLook);
  group_timer_.async_wait([self = ConnectionPtr(this), this, deadline](const error_code& cancelled) {
    if (cancelled) return;
    reap();
    const bool late = Loop::now() >= deadline;
    if (late) ::kill(-group_, SIGKILL);
    if (late || !group_lives(group_)) return group_is_over();
    look_at_group(deadline);
  });
}

void ExecConnection::group_is_over() {
  groups_.remove(group_);
  group_ = -1;
}

}  // namespace qsp::net
