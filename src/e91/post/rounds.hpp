#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "e91/setting.hpp"
#include "e91/varint.hpp"
#include "qsp/bytes.hpp"

/// The long lists that two stations exchange about a block, kept as they lie on the wire: a block has millions of
/// rounds. All of it is public.
namespace qsp::e91::post {

/// Ascending slots of a block, each as the number of slots that were left out before it, a varint.
class SlotList {
 public:
  SlotList() = default;
  SlotList(std::initializer_list<std::uint64_t> slots) {
    for (const std::uint64_t slot : slots) push_back(slot);
  }
  /// Nothing where `gaps` is not exactly `count` slots, all below `slots`.
  static std::optional<SlotList> parse(Bytes gaps, std::size_t count, std::uint64_t slots);

  /// Room for so many slots that follow closely on each other.
  void reserve(std::size_t size) { gaps_.reserve(size); }
  /// Precondition: `slot` is after all in the list.
  void push_back(std::uint64_t slot) {
    put_varint(gaps_, slot - next_);
    next_ = slot + 1;
    ++size_;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Bytes gaps() const noexcept { return gaps_; }

  /// Walks a list, which must outlive it.
  class Cursor {
   public:
    explicit Cursor(const SlotList& list) noexcept : rest_(list.gaps_) {}
    /// Precondition: called no more often than the list is long.
    std::uint64_t next() noexcept {
      const std::uint64_t slot = next_ + take_varint(rest_).value_or(0);
      next_ = slot + 1;
      return slot;
    }

   private:
    Bytes rest_;
    std::uint64_t next_ = 0;
  };

 private:
  std::vector<std::uint8_t> gaps_;
  std::size_t size_ = 0;
  std::uint64_t next_ = 0;  ///< after the last
};

/// Settings of rounds, two bits each.
class SettingList {
 public:
  SettingList() = default;
  SettingList(std::initializer_list<std::uint8_t> settings) : SettingList(settings.size()) {
    for (const std::uint8_t setting : settings) push_back(setting);
  }
  /// Empty, with room for `most` settings.
  explicit SettingList(std::size_t most) : words_((most + kPerWord - 1) / kPerWord) {}
  /// Nothing where `packed` is not what `bytes` gives for so many settings.
  static std::optional<SettingList> parse(Bytes packed, std::size_t count);

  /// Precondition: there is room; setting < kMaxSettings.
  void push_back(std::uint8_t setting) noexcept {
    words_[size_ / kPerWord] |= std::uint64_t{setting} << (2 * (size_ % kPerWord));
    ++size_;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint8_t operator[](std::size_t i) const noexcept {
    return static_cast<std::uint8_t>((words_[i / kPerWord] >> (2 * (i % kPerWord))) & 3);
  }
  /// Whether all are settings of a side that has `count` of them.
  [[nodiscard]] bool all_below(std::size_t count) const noexcept;

  /// Four to a byte, the first in its two low bits; zeros where the last byte is not full.
  [[nodiscard]] std::vector<std::uint8_t> bytes() const;
  static constexpr std::size_t bytes_of(std::size_t count) noexcept { return (count + 3) / 4; }

 private:
  static constexpr std::size_t kPerWord = 32;

  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace qsp::e91::post
