#pragma once

#include <cstdint>

#include "bench/child.hpp"
#include "bench/rounds.hpp"

/// The programs at the ends of the daemons that `qsp bench loopback` measures: copies of this process.
namespace qsp::bench {

/// Two descriptors: of a pipe, what is read from and what is written to.
struct PipeHandles {
  Descriptor out, in;
  static Outcome<PipeHandles> make();
};

/// A socket that listens on a port of 127.0.0.1.
struct ListeningSocket {
  Descriptor socket;
  std::uint16_t port;
  static Outcome<ListeningSocket> make();
};

/// Writes `bytes` zeros into a descriptor, 64 KiB at a time as `cat` and `tar` do, and closes it.
Outcome<Child> produce(const Descriptor& into, std::uint64_t bytes);
/// Reads to the end, then closes `held`. Succeeds if `bytes` came.
Outcome<Child> consume(const Descriptor& from, const Descriptor& held, std::uint64_t bytes);
/// Accepts one connection and does the same on it.
Outcome<Child> serve_zeros(const ListeningSocket& listener, std::uint64_t bytes);
Outcome<Child> serve_sink(const ListeningSocket& listener, std::uint64_t bytes);

}  // namespace qsp::bench
