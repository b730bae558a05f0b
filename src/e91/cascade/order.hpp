#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "e91/bits.hpp"
#include "e91/cascade/shuffle.hpp"

namespace qsp::e91::cascade {

/// The lengths of key that Cascade takes, bits.
inline constexpr std::size_t kMinCascadeKey = 64;
inline constexpr std::size_t kMaxCascadeKey = Shuffle::kMaxWords * 64;

/// How a pass lays out the key before it cuts it into blocks.
enum class Layout : std::uint8_t {
  Natural,   ///< as it is
  Shuffled,  ///< all of it, shuffled
  Subset,    ///< as it is, with zeros for a random half
};

/// The places that a layout gives a key: its length, or for Shuffled that up to the next multiple of 4096.
[[nodiscard]] std::size_t places_of(Layout layout, std::size_t key_size) noexcept;

/// One pass's layout of a key. Public: it follows from the seed alone.
class Order {
 public:
  /// Draws what `layout` needs from a stream of the public seed, which both ends read in the same order.
  /// Precondition: kMinCascadeKey <= key_size <= kMaxCascadeKey.
  Order(Layout layout, std::size_t key_size, RandomStream& stream);

  /// The places of the layout.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The key in this order, zero where a place holds none of its bits. Precondition: the key has `key_size` bits.
  [[nodiscard]] Bits apply(const Bits& key) const;

  /// Where bit `index` of the key lies, or nothing if the layout leaves it out. Precondition: index < key_size.
  [[nodiscard]] std::optional<std::uint32_t> place(std::uint32_t index) const noexcept {
    if (shuffle_) return shuffle_->place(index);
    return holds(index) ? std::optional(index) : std::nullopt;
  }
  /// Which bit of the key lies at `place`, or nothing if it holds none. Precondition: place < size().
  [[nodiscard]] std::optional<std::uint32_t> index(std::uint32_t place) const noexcept {
    const std::uint32_t index = shuffle_ ? shuffle_->index(place) : place;
    return index < key_size_ && holds(index) ? std::optional(index) : std::nullopt;
  }

 private:
  [[nodiscard]] bool holds(std::uint32_t index) const noexcept { return mask_.empty() || mask_[index]; }

  std::size_t key_size_;
  std::size_t size_;
  std::unique_ptr<Shuffle> shuffle_;  ///< of Shuffled
  Bits mask_;                         ///< of Subset
};

}  // namespace qsp::e91::cascade
