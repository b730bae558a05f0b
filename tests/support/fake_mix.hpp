#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/split_mix.hpp"
#include "qsp/bytes.hpp"

/// The arithmetic behind the fake provider: a 64-bit sponge out of SplitMix64's finaliser. Any altered bit alters what
/// is squeezed out; nothing here resists an adversary.
namespace qsp::test {

class Sponge {
 public:
  explicit Sponge(std::string_view domain) noexcept { absorb(as_bytes(domain)).boundary(); }

  /// Bytes as if joined to those before.
  Sponge& absorb(Bytes bytes) noexcept {
    for (const std::uint8_t byte : bytes) {
      word_ = word_ << 8 | byte;
      if (++size_ % 8 == 0) flush();
    }
    return *this;
  }

  /// Ends a field, so that its bytes cannot be taken for the next field's.
  Sponge& boundary() noexcept {
    flush();
    state_ = mix64(state_ ^ (size_ + kSplitMixStep));
    return *this;
  }

  /// Bytes that depend on everything absorbed. Call once.
  void squeeze(MutableBytes out) noexcept {
    boundary();
    SplitMix64(state_).fill(out);
  }

  /// Adds a keystream that depends on everything absorbed. Its own inverse. Call once.
  void crypt(MutableBytes data) noexcept {
    boundary();
    SplitMix64 blocks(state_);
    std::uint64_t block = 0;
    for (std::size_t i = 0; i < data.size(); ++i) {
      if (i % 8 == 0) block = blocks.next();
      data[i] = static_cast<std::uint8_t>(data[i] ^ (block >> (8 * (i % 8))));
    }
  }

 private:
  void flush() noexcept {
    state_ = mix64(state_ ^ word_);
    word_ = 0;
  }

  std::uint64_t state_ = 0;
  std::uint64_t word_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace qsp::test
