#include "net/process_groups.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include "net/process_guard.hpp"

namespace qsp::net {
namespace {

constexpr std::chrono::milliseconds kLook{20};

std::unexpected<std::string> failed() {
  return std::unexpected(
      fmt::format("cannot start the guard of the commands: {}", std::generic_category().message(errno)));
}

/// True where the system does not say. ThreadSanitizer has a thread of its own.
bool is_only_thread() {
#if defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
  return true;
#endif
#endif
  std::error_code unknown;
  const std::filesystem::directory_iterator threads("/proc/self/task", unknown);
  return unknown || std::distance(begin(threads), end(threads)) == 1;
}

}  // namespace

bool group_lives(int group) noexcept { return ::kill(-group, 0) == 0 || errno != ESRCH; }

Result<std::unique_ptr<ProcessGroups>, std::string> ProcessGroups::start() {
  // A lock that another thread holds would stay locked in the copy.
  if (!is_only_thread()) {
    return std::unexpected("cannot start the guard of the commands: this process has other threads already");
  }
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return failed();
  files::Descriptor ours(ends[0]);
  files::Descriptor guards(ends[1]);
  const int guard = ::fork();
  if (guard < 0) return failed();
  if (guard == 0) {
    ours.close();
    guard_groups(guards.get());
    ::_exit(0);
  }
  return std::unique_ptr<ProcessGroups>(new ProcessGroups(guard, std::move(ours)));
}

ProcessGroups::~ProcessGroups() {
  kill_all();
  socket_.close();
  ::waitpid(guard_, nullptr, 0);
}

/// A guard that is gone cannot be told, and the server itself still ends its commands.
void ProcessGroups::tell(int message) const noexcept { ::send(socket_.get(), &message, sizeof message, MSG_NOSIGNAL); }

void ProcessGroups::add(int group) {
  const std::lock_guard lock(mutex_);
  groups_.push_back(group);
  tell(group);
}

void ProcessGroups::remove(int group) {
  const std::lock_guard lock(mutex_);
  if (std::erase(groups_, group) != 0) tell(-group);
}

void ProcessGroups::end_all() {
  std::unique_lock lock(mutex_);
  tell(kNoGrace);  // if this process is killed during the wait, the guard ends them at once
  for (const int group : groups_) ::kill(-group, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kGrace;
  while (!groups_.empty() && std::chrono::steady_clock::now() < deadline) {
    std::erase_if(groups_, [this](int group) {
      ::waitpid(group, nullptr, WNOHANG);
      if (group_lives(group)) return false;
      tell(-group);
      return true;
    });
    if (groups_.empty()) break;
    lock.unlock();  // whoever runs out of patience kills them meanwhile
    std::this_thread::sleep_for(kLook);
    lock.lock();
  }
  lock.unlock();
  kill_all();
}

void ProcessGroups::kill_all() {
  const std::lock_guard lock(mutex_);
  for (const int group : groups_) {
    ::kill(-group, SIGKILL);
    tell(-group);
  }
  groups_.clear();
}

}  // namespace qsp::net
