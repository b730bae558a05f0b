#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/rounds.hpp"

namespace qsp::bench {

/// Seconds to seal and open one frame, both ends' work on one thread.
struct SealResult {
  std::size_t size;  ///< bytes of payload
  std::uint64_t loops;
  double qsp;   ///< QSP 1.0: Channel::seal_app_data and handle_bytes, in place
  double tls;   ///< TLS 1.3: SSL_write and SSL_read through a pair of memory BIOs, in records of 16 KiB at most
  double bare;  ///< AES-256-GCM of OpenSSL's EVP in place, with contexts kept and a nonce and 25 bytes of AAD for each
                ///< message
  std::string provider;  ///< what QSP runs on
};

/// Seals and opens `loops` frames of `size` bytes. Preconditions: loops is 1…2^29, size 1…Endpoint::kMaxPlaintext.
/// Error: one line.
Outcome<SealResult> bench_seal(std::size_t size, std::uint64_t loops);

}  // namespace qsp::bench
