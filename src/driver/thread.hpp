#pragma once

#include <signal.h>

#include <thread>
#include <utility>

namespace qsp::driver {

/// A thread that takes none of the program's signals, but for those that it raises itself by a fault: while these are
/// blocked the kernel ends the process past the program's handler. Throws what std::jthread does.
template <class Run>
std::jthread start_thread(Run run) {
  struct Blocked {
    Blocked() {
      sigset_t all;
      sigfillset(&all);
      for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&all, fault);
      ::pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    ~Blocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    sigset_t before{};
  };
  const Blocked blocked;
  return std::jthread(std::move(run));
}

}  // namespace qsp::driver
