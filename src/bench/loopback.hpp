#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/rounds.hpp"

namespace qsp::bench {

/// Bytes a second of bulk data in one direction over loopback TCP, with every byte received and counted.
struct LoopbackResult {
  std::uint64_t bytes;  ///< of each transfer
  std::uint64_t rounds;
  double qsp;                     ///< QSP 1.0 between two threads
  double tls;                     ///< TLS 1.3 between two threads: SSL_write and SSL_read on blocking sockets
  std::optional<double> openssl;  ///< openssl s_client to s_server, the time in which both start taken off
  std::string why_no_openssl;     ///< one line, where there is no figure
};

/// Transfers of `bytes`, in turns; the median of three each. Precondition: bytes is 1…2^40. Error: one line.
Outcome<LoopbackResult> bench_loopback(std::uint64_t bytes);

}  // namespace qsp::bench
