#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "qsp/crypto.hpp"

namespace qsp::e91 {

/// 32 bytes that a stream of random numbers is expanded from.
using Seed = Secret<32, struct SeedTag>;

/// The keystream of AES-256-GCM, by the provider's own means where it has some, else by sealing zeros: the same bytes.
/// Error: Provider.
Result<std::unique_ptr<crypto::Keystream>> make_keystream(crypto::Provider& provider, TrafficKey&& key);

/// Random numbers at gigabytes a second: the keystream of AES-256-GCM under a seed, read in chunks. Chunk c is the
/// encryption of zeros under nonce c, so any place of the stream is reached at the cost of one chunk, and the same seed
/// repeats a run.
class RandomStream {
 public:
  static constexpr std::size_t kChunkWords = 256;
  using Chunk = std::array<std::uint64_t, kChunkWords>;

  /// Errors: Provider. A stream from `rng` serves secrets; one from a seed that was told to anybody does not.
  static Result<RandomStream> create(crypto::Provider& provider, Seed&& seed);
  static Result<RandomStream> create(crypto::Provider& provider, crypto::Rng& rng);

  /// The next 64 bits.
  std::uint64_t next() noexcept {
    if (used_ == kChunkWords) refill();
    return chunk_[used_++];
  }
  /// Evenly from [0, 1), in steps of 2^-53.
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }
  void fill(std::span<std::uint64_t> words) noexcept;

  /// Chunk `index` of the stream, whatever was read before. next() goes on where it was.
  void read_chunk(std::uint64_t index, Chunk& out) noexcept;

  /// False once the cipher failed: every number since is worthless, and what was made of them is thrown away.
  [[nodiscard]] bool healthy() const noexcept { return healthy_; }

 private:
  explicit RandomStream(std::unique_ptr<crypto::Keystream> stream) noexcept : stream_(std::move(stream)) {}
  void refill() noexcept;

  std::unique_ptr<crypto::Keystream> stream_;
  Chunk chunk_{};
  std::size_t used_ = kChunkWords;
  std::uint64_t next_chunk_ = 0;
  bool healthy_ = true;
};

}  // namespace qsp::e91
