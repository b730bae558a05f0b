#pragma once

#include <csignal>

namespace qsp::node {

/// Whether this process lives on where it writes to a pipe that nobody reads: it ignores SIGPIPE, or handles it.
inline bool survives_broken_pipe() noexcept {
  struct sigaction now{};
  return ::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler != SIG_DFL;
}

}  // namespace qsp::node
