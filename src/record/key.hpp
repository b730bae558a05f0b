#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/big_endian.hpp"
#include "qsp/crypto.hpp"
#include "qsp/suites.hpp"
#include "wire/frame.hpp"

/// What every form of record protection has in common: the nonce, the aad, and a traffic key with its epoch, its hard
/// limits and the count of what it has protected (SPEC §2, §8.6). Which n comes next, and which one may still come, is
/// for the form to say: record/stream takes strictly the next.
namespace qsp::record {

struct TestAccess;

/// SPEC §2.4: `nonce = epoch(4) ‖ n(8)`, the full 64-bit n.
[[nodiscard]] inline crypto::Nonce nonce_of(std::uint32_t epoch, std::uint64_t n) noexcept {
  crypto::Nonce nonce;
  std::ranges::copy(big_endian<4>(epoch), nonce.begin());
  std::ranges::copy(big_endian<8>(n), nonce.begin() + 4);
  return nonce;
}

/// A label of an aad. It stands at the end of an array, where a header follows, so that both are copied at once.
class Label {
 public:
  static constexpr std::size_t kMaxSize = 5;

  consteval explicit Label(std::string_view text) : begin_(kMaxSize - text.size()) {
    std::ranges::copy(text, bytes_.begin() + begin_);
  }

 private:
  friend class Aad;
  std::array<std::uint8_t, kMaxSize> bytes_{};
  std::size_t begin_;
};

/// SPEC §2.4: `aad = label ‖ header(22)`.
class Aad {
 public:
  explicit Aad(const Label& label) noexcept : begin_(label.begin_) {
    std::memcpy(bytes_.data(), label.bytes_.data(), label.bytes_.size());
  }

  /// To be written before the view is taken.
  [[nodiscard]] std::span<std::uint8_t, wire::kFrameHeaderSize> header() noexcept {
    return std::span(bytes_).last<wire::kFrameHeaderSize>();
  }
  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes_).subspan(begin_); }

 private:
  std::array<std::uint8_t, Label::kMaxSize + wire::kFrameHeaderSize> bytes_;
  std::size_t begin_;
};

/// What a key has protected so far.
struct Usage {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  ///< of plaintext, but for what is not to be counted

  friend bool operator==(const Usage&, const Usage&) = default;
};

/// A traffic key of one direction and one epoch inside its AEAD.
class Key {
 public:
  /// Once, before the first set(). The limits are those of the AEAD's row in the suite table.
  void set_aead(std::unique_ptr<crypto::Aead> aead, const crypto::AeadInfo& info) noexcept;
  /// Takes the key of an epoch; the one before is gone then, and its usage. Error: Provider, after which there is none.
  Result<void> set(std::uint32_t epoch, TrafficKey&& key);
  /// Overwrites the key, and waits for another. Error: Provider.
  Result<void> forget();
  /// Frees the AEAD and the key with it. Nothing is sealed or opened afterwards.
  void wipe() noexcept { aead_.reset(); }

  /// Whether there is a key.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  /// Of the last key; 0 before the first.
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] const Usage& usage() const noexcept { return usage_; }
  /// Whether the key may protect so much more within its hard limits (SPEC §8.6).
  [[nodiscard]] bool has_room(const Usage& more) const noexcept {
    return usage_.frames + more.frames <= limits_.frames && usage_.bytes + more.bytes <= limits_.bytes;
  }

  /// Seals `data` in place under (epoch, n) and counts a frame of `counted` bytes, whatever comes of it: an n is spent
  /// even if the provider fails half-way. Precondition: ready(), and no frame of this epoch was sealed with this n.
  /// Error: Provider.
  Result<void> seal(std::uint64_t n, Bytes aad, MutableBytes data, std::span<std::uint8_t, crypto::kTagSize> tag,
                    std::uint64_t counted) {
    count(counted);
    return aead_->seal(nonce_of(epoch_, n), aad, data, tag);
  }
  /// Opens `data` in place and counts a frame of `counted` bytes if it was genuine. Precondition: ready().
  /// Errors: DecryptFailed; Provider.
  Result<void> open(std::uint64_t n, Bytes aad, MutableBytes data, std::span<const std::uint8_t, crypto::kTagSize> tag,
                    std::uint64_t counted) {
    if (const auto opened = aead_->open(nonce_of(epoch_, n), aad, data, tag); !opened) return opened;
    count(counted);
    return {};
  }

 private:
  friend struct TestAccess;  // sets a usage that no test can reach frame by frame
  void count(std::uint64_t bytes) noexcept {
    ++usage_.frames;
    usage_.bytes += bytes;
  }

  std::unique_ptr<crypto::Aead> aead_;
  Usage limits_;
  Usage usage_;
  std::uint32_t epoch_ = 0;
  bool ready_ = false;
};

}  // namespace qsp::record
