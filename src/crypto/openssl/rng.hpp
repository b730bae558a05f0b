#pragma once

#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// OpenSSL's DRBG for private values, one per thread, which reseeds itself after a fork. Nothing is drawn ahead: a draw
/// of 32 bytes costs under a microsecond, and a pool would have to notice forks.
class OpenSslRng final : public Rng {
 public:
  Result<void> fill(MutableBytes out) override;
};

}  // namespace qsp::crypto::openssl
