#include "files/unfinished.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <utility>

namespace qsp::files {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

/// What was made, newest first. A signal handler walks the list, so it changes by single stores.
struct Made {
  std::string name;
  bool folder;
  Made* before;
};
std::atomic<Made*> newest{nullptr};
static_assert(std::atomic<Made*>::is_always_lock_free);

std::array<struct sigaction, kSignals.size()> handlers_before;
std::array<bool, kSignals.size()> replaced;
thread_local bool under_way = false;

void remove(const Made& made) noexcept { made.folder ? ::rmdir(made.name.c_str()) : ::unlink(made.name.c_str()); }

/// Async-signal-safe. SA_RESETHAND has put the default back, which ends the process once this returns.
extern "C" void remove_and_end(int number) {
  const int kept = errno;
  for (const Made* made = newest.load(); made != nullptr; made = made->before) remove(*made);
  errno = kept;
  ::raise(number);
}

sigset_t ending_signals() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : kSignals) ::sigaddset(&set, number);
  return set;
}

}  // namespace

NoSignals::NoSignals() noexcept : before_() {
  const sigset_t blocked = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
}

NoSignals::~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void NoSignals::note(const std::string& name, bool folder) const {
  if (!under_way) return;
  auto made = std::make_unique<Made>(Made{name, folder, newest.load()});
  newest.store(made.release());
}

Unfinished::Unfinished() {
  const NoSignals quiet;
  under_way = true;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    // A signal that is ignored (by nohup, say), or handled by other code, stays so.
    ::sigaction(kSignals[i], nullptr, &handlers_before[i]);
    replaced[i] = handlers_before[i].sa_handler == SIG_DFL;
    if (!replaced[i]) continue;
    struct sigaction act{};
    act.sa_handler = remove_and_end;
    act.sa_flags = static_cast<int>(SA_RESETHAND);
    act.sa_mask = ending_signals();
    ::sigaction(kSignals[i], &act, nullptr);
  }
}

Unfinished::~Unfinished() {
  const NoSignals quiet;
  for (std::unique_ptr<Made> made(newest.exchange(nullptr)); made; made.reset(made->before)) remove(*made);
  under_way = false;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (replaced[i]) ::sigaction(kSignals[i], &handlers_before[i], nullptr);
  }
}

void Unfinished::keep() noexcept {
  const NoSignals quiet;
  for (std::unique_ptr<Made> made(newest.exchange(nullptr)); made;) made.reset(made->before);
}

OrText<void> create_folder(const std::string& folder) {
  constexpr mode_t kMode = 0755;  // less the umask; never writable by others
  const NoSignals quiet;
  if (::mkdir(folder.c_str(), kMode) == 0) {
    quiet.note(folder, true);
    return {};
  }
  if (errno == EEXIST) {
    return std::unexpected(folder + ": is there already; give a folder that does not exist yet");
  }
  return std::unexpected(system_error(folder, "cannot make the folder"));
}

}  // namespace qsp::files
