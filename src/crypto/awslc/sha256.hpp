#pragma once

#include <openssl/sha.h>

#include "crypto/awslc/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::awslc {

/// For HkdfOf. None of AWS-LC's three calls can fail.
class Sha256 {
 public:
  Sha256() noexcept { SHA256_Init(&state_); }

  bool update(Bytes bytes) noexcept { return SHA256_Update(&state_, bytes.data(), bytes.size()) == 1; }
  bool finish(std::span<std::uint8_t, kHashSize> out) noexcept {
    // The state ends wiped.
    return SHA256_Final(out.data(), &state_) == 1 && SHA256_Init(&state_) == 1;
  }
  void spoil() noexcept {
    wipe({reinterpret_cast<std::uint8_t*>(&state_), sizeof state_});
    SHA256_Init(&state_);
  }
  static std::unexpected<Error> failed() noexcept { return fail_provider("SHA-256 failed"); }

 private:
  SHA256_CTX state_;
};

}  // namespace qsp::crypto::awslc
