#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "e91/hashing/tag.hpp"
#include "qsp/bytes.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::e91::post {

/// What the two tags of a block are made with, Alice's first, and the word by which she says that his was right.
struct TagKeys {
  std::uint64_t position;  ///< of the pad, where they began
  std::array<hashing::TagKey, 2> keys;
  std::array<hashing::TagPad, 2> pads;
  std::array<std::uint8_t, 16> word;
};

/// The key that two stations share to authenticate with. Both hold the same bytes and use them in the same order, each
/// once: what is taken is wiped. It begins with bytes of a QSP session's exporter and grows by a part of every block's
/// output.
class AuthenticationPad {
 public:
  /// Bytes that one block costs: for each tag a hash key and a mask, and Alice's last word (docs/qkd.md).
  static constexpr std::size_t kBlockCost = 80;
  /// Bytes that a pad starts from: a block.
  static constexpr std::size_t kBootstrap = kBlockCost;
  /// More is not kept: what a block yields beyond this goes to its users.
  static constexpr std::size_t kCapacity = 1024;

  /// Precondition: kBootstrap <= bytes.size() <= kCapacity.
  explicit AuthenticationPad(Bytes bytes);
  AuthenticationPad(AuthenticationPad&& other) noexcept = default;
  AuthenticationPad& operator=(AuthenticationPad&&) = delete;
  AuthenticationPad(const AuthenticationPad&) = delete;
  AuthenticationPad& operator=(const AuthenticationPad&) = delete;
  ~AuthenticationPad() = default;

  /// How many bytes of the pad have been used since it was made: the place of the next block's keys.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size(); }

  /// The next kBlockCost bytes, or nothing where the pad has run out.
  std::optional<TagKeys> take();
  /// Gives up what lies before `position`: a peer that used more has burned it. False where that is behind, or past the
  /// end.
  bool skip_to(std::uint64_t position);
  /// Appends to the pad. Bytes over kCapacity are not taken; returns how many were.
  std::size_t refill(Bytes bytes);

 private:
  void drop(std::size_t size) noexcept;

  SecretBytes bytes_;
  std::uint64_t position_ = 0;
};

}  // namespace qsp::e91::post
