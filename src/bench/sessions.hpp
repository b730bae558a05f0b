#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "cli/profile.hpp"

namespace qsp::cli {

/// Memory that idle sessions take, both ends of each in this process.
struct SessionsBenchResult {
  std::size_t sessions;
  double elapsed_sec;            ///< to establish all of them
  double resident_per_session;   ///< growth of the resident set in bytes, both ends together
  double allocated_per_session;  ///< growth of the heap in use in bytes (mallinfo2), both ends together
};

/// Establishes `sessions` sessions over loopback TCP, lets them rest, and measures. The kernel's own memory for sockets
/// is not counted. The error is one line for a person.
std::expected<SessionsBenchResult, std::string> bench_sessions(const Profile& profile, std::size_t sessions);

}  // namespace qsp::cli
