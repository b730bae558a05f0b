#pragma once

#include <array>
#include <cstdint>

#include "e91/hashing/carryless.hpp"
#include "e91/setting.hpp"
#include "qsp/error.hpp"
#include "qsp/secret.hpp"

namespace qsp::e91::hashing {

/// The point at which transcripts are hashed: 128 secret, evenly drawn bits. It may serve many tags, each under a pad
/// of its own.
using TagKey = Secret<16, struct TagKeyTag>;

/// What one tag is encrypted with: 128 secret, evenly drawn bits that no other tag ever uses.
using TagPad = Secret<16, struct TagPadTag>;

using Tag = std::array<std::uint8_t, 16>;

/// A Wegman-Carter tag that one side gives of one block: a polynomial hash over GF(2^128) of what was said in it, under
/// a one-time pad. The caller puts the sender of a message in front of it, as a message of its own.
///
/// What is hashed is a sequence of 16-byte blocks that can be read in one way only:
///   block number (8) ‖ sender + 1 (8), then for each message its number from 1 (8) ‖ its length (8) ‖ the message,
///   filled up with zeros, and at the end the number of messages (8) ‖ all ones (8); all numbers least significant byte
///   first.
/// So a message that is altered, cut, split, joined, moved, left out, or replayed in another block or direction is
/// another sequence. Two sequences of at most B blocks have hashes of one given difference at no more than B points:
/// an attacker who saw any number of tags under one key, each with its own pad, forges one more with probability at
/// most B / 2^128, below 2^-100 for the kMaxTagBlocks = 2^28 blocks (4 GiB) that a stream accepts, and 2^-112 for
/// 1 MiB.
class TagStream {
 public:
  static constexpr std::uint64_t kMaxTagBlocks = std::uint64_t{1} << 28;

  /// The tag that `sender` gives of block `block`. The stream wipes its copy of the key at its end. One made with a
  /// key that is not 16 bytes, such as one that was moved away, refuses everything.
  TagStream(const TagKey& key, Side sender, std::uint64_t block, const Carryless& arithmetic = carryless()) noexcept;
  TagStream(TagStream&& other) noexcept;
  TagStream(const TagStream&) = delete;
  TagStream& operator=(const TagStream&) = delete;
  TagStream& operator=(TagStream&&) = delete;
  ~TagStream() { forget(); }

  /// Appends one whole message, as it was sent or received. An empty one counts too.
  /// Errors: PeerMisbehaved past kMaxTagBlocks and of a stream that is spent; it refuses whatever follows, its tag too.
  Result<void> update(Bytes message) noexcept;

  /// The tag to send. Errors: as `update`; ApiMisuse for a pad that is not 16 bytes. The stream is spent.
  Result<Tag> finish(TagPad&& pad) && noexcept;

  /// Whether `tag` is the one that the peer's side of the block must have. Errors: as `finish`, and DecryptFailed for a
  /// tag that differs: drop all that the block brought. The stream is spent.
  Result<void> verify(TagPad&& pad, Bytes tag) && noexcept;

 private:
  void absorb(std::uint64_t low, std::uint64_t high) noexcept;
  /// Wipes the key and leaves a stream that refuses everything.
  void forget() noexcept;

  const Carryless* arithmetic_;
  Wide point_;
  Wide sum_;
  std::uint64_t messages_ = 0;
  std::uint64_t blocks_ = 2;
};

}  // namespace qsp::e91::hashing
