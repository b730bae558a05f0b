#pragma once

#include <memory>

#include "qsp/crypto.hpp"

namespace qsp::crypto {

/// What AES-256-GCM would encrypt zeros to, without the tag: random bytes by the gigabyte, for simulations. Nothing is
/// authenticated; never a cipher for messages.
class Keystream {
 public:
  virtual ~Keystream() = default;
  /// Fills `out`, at most 1 MiB, with the stream of a nonce, from its beginning. Error: Provider/INTERNAL_ERROR.
  virtual Result<void> read(const Nonce& nonce, MutableBytes out) = 0;
};

/// An ability that a provider may have besides those of Provider; ask for it by dynamic_cast.
class KeystreamSource {
 public:
  /// Error: Provider/INTERNAL_ERROR.
  virtual Result<std::unique_ptr<Keystream>> keystream(TrafficKey&& key) = 0;

 protected:
  ~KeystreamSource() = default;
};

}  // namespace qsp::crypto
