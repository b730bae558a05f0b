#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "bench/rounds.hpp"

namespace qsp::bench {

enum class Protocol : std::uint8_t { Qsp1, Rc155 };

/// Memory in bytes that one end of an idle session takes.
struct EndMemory {
  double resident;   ///< growth of the resident set
  double allocated;  ///< growth of the heap in use (mallinfo2)
};

struct SessionsResult {
  std::size_t sessions;
  double elapsed_sec;  ///< to establish all of them
  EndMemory server, client;
};

/// Told about once a second how many sessions the server has so far.
using Progress = std::function<void(std::size_t established)>;

/// Establishes `sessions` sessions over loopback TCP, lets them rest, and measures. The clients are a process of their
/// own: so each end is measured apart, and needs no more than its own descriptors. The kernel's memory for sockets is
/// not counted. Raises this process's limit of open files as far as it may. Precondition: this process has one thread.
/// Error: one line.
Outcome<SessionsResult> bench_sessions(Protocol protocol, std::size_t sessions, const Progress& progress);

}  // namespace qsp::bench
