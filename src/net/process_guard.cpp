#include "net/process_guard.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "net/process_groups.hpp"

namespace qsp::net {
namespace {

constexpr std::chrono::milliseconds kGuardLook{20};
constexpr int kSocket = 3;

/// Keeps nothing of its parent's but the socket: a file or stream that stays open here would keep others waiting.
/// A signal that stops the server does not stop the guard with it.
void let_go(int socket) noexcept {
  ::setsid();
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE}) std::signal(number, SIG_IGN);
  ::prctl(PR_SET_NAME, "qsp-guard");                // NOLINT(cppcoreguidelines-pro-type-vararg)
  const int nothing = ::open("/dev/null", O_RDWR);  // NOLINT(cppcoreguidelines-pro-type-vararg)
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, standard);
  ::dup2(socket, kSocket);
  ::close_range(kSocket + 1, ~0U, 0);
}

}  // namespace

void guard_groups(int socket) {
  let_go(socket);
  std::vector<int> groups;
  bool grace = true;
  int message = 0;
  for (;;) {
    const ssize_t count = ::recv(kSocket, &message, sizeof message, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count != sizeof message) break;
    if (message == kNoGrace) grace = false;
    if (message > 0) groups.push_back(message);
    if (message < 0) std::erase(groups, -message);
  }
  const auto deadline = std::chrono::steady_clock::now() + ProcessGroups::kGrace;
  if (grace) {
    for (const int group : groups) ::kill(-group, SIGTERM);
    while (std::ranges::any_of(groups, group_lives) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(kGuardLook);
    }
  }
  for (const int group : groups) ::kill(-group, SIGKILL);
}

}  // namespace qsp::net
