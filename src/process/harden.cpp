#include "process/harden.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>

namespace qsp::process {
namespace {

/// The leak checker traces this process, which an undumpable one does not let it.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kTraced = true;
#elif defined(__has_feature)
constexpr bool kTraced = __has_feature(address_sanitizer);
#else
constexpr bool kTraced = false;
#endif

/// A socket or pad must not take the place of a standard stream that was closed when this process was started, and be
/// logged into. Opened the wrong way round, so that reading or writing the stream fails, and does not pass for empty.
void occupy_standard_streams() noexcept {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // NOLINTBEGIN(cppcoreguidelines-pro-type-vararg)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) ::_exit(1);
    // NOLINTEND(cppcoreguidelines-pro-type-vararg)
  }
}

}  // namespace

bool is_ignored(int signal) noexcept {
  struct sigaction now{};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

void harden() noexcept {
  occupy_standard_streams();
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  if (!kTraced) ::prctl(PR_SET_DUMPABLE, 0);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is a failed write, which says so
}

}  // namespace qsp::process
