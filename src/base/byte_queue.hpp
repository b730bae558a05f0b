#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "qsp/bytes.hpp"

namespace qsp {

/// Bytes that wait, first in, first out. However long it runs, and however small the pieces: what was taken never keeps
/// more memory than what waits, and one that is empty keeps next to none.
class ByteQueue {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - taken_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  /// Bytes of memory that it keeps.
  [[nodiscard]] std::size_t capacity() const noexcept { return bytes_.capacity(); }

  /// All that waits. Valid until the next change, as is what grow() returns.
  [[nodiscard]] Bytes front() const noexcept { return Bytes(bytes_).subspan(taken_); }

  /// Appends `size` bytes, which the caller fills.
  MutableBytes grow(std::size_t size) {
    // Moves at most as many bytes as were taken since the last time.
    if (taken_ != 0 && taken_ >= this->size()) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
    }
    bytes_.resize(bytes_.size() + size);
    return MutableBytes(bytes_).last(size);
  }
  void append(Bytes data) { std::copy(data.begin(), data.end(), grow(data.size()).begin()); }
  /// Takes back the last `size` bytes.
  void cut(std::size_t size) { bytes_.resize(bytes_.size() - size); }

  /// Takes `size` bytes from the front. Precondition: there are as many.
  void drop(std::size_t size) {
    taken_ += size;
    if (taken_ != bytes_.size()) return;
    bytes_.clear();
    taken_ = 0;
    if (bytes_.capacity() > kKept) bytes_.shrink_to_fit();
  }
  /// Moves as many bytes as there are and fit into `out`, and returns their number.
  std::size_t take(MutableBytes out) {
    const Bytes first = front().first(std::min(out.size(), size()));
    std::copy(first.begin(), first.end(), out.begin());
    drop(first.size());
    return first.size();
  }

 private:
  static constexpr std::size_t kKept = std::size_t{64} * 1024;

  std::vector<std::uint8_t> bytes_;
  std::size_t taken_ = 0;  ///< at the front
};

}  // namespace qsp
