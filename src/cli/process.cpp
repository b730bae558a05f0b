#include "cli/process.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>

namespace qsp::cli {
namespace {

/// The leak checker traces this process, which an undumpable one does not let it.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kTraced = true;
#elif defined(__has_feature)
constexpr bool kTraced = __has_feature(address_sanitizer);
#else
constexpr bool kTraced = false;
#endif

}  // namespace

void harden_process() noexcept {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  if (!kTraced) ::prctl(PR_SET_DUMPABLE, 0);
  std::signal(SIGPIPE, SIG_IGN);

  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

}  // namespace qsp::cli
