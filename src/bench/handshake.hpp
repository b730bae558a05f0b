#pragma once

#include <cstdint>
#include <string>

#include "bench/rounds.hpp"

namespace qsp::bench {

/// One mutual handshake, both ends' work on one thread: X25519MLKEM768, ML-DSA-65 both ways, AES-256-GCM. ML-DSA signs
/// by trial until a signature fits (FIPS 204 §3.5), so times scatter and the paces' errors matter.
struct HandshakeResult {
  std::uint64_t loops;
  Pace qsp;          ///< QSP 1.0, QKD none
  Pace tls;          ///< TLS 1.3 of the same OpenSSL, both certificates verified, SSL_CTX kept
  Pace primitives;   ///< KEM (generate, encapsulate, decapsulate), 2 signatures made and 2 verified, and `symmetric`
  double symmetric;  ///< seconds of the hashes, derivations, AEAD keys, frames and random bytes of a handshake
  std::string provider;  ///< what QSP and the primitives run on
  std::size_t bytes;     ///< that QSP's two ends send each other
};

/// Precondition: loops > 0. Error: one line.
Outcome<HandshakeResult> bench_handshake(std::uint64_t loops);

}  // namespace qsp::bench
