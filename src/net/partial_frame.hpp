#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "qsp/bytes.hpp"

namespace qsp::net {

/// The start of a frame of which more has yet to come: the only input bytes that a session keeps.
class PartialFrame {
 public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool full() const noexcept { return size_ == capacity_; }
  [[nodiscard]] MutableBytes bytes() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] MutableBytes room() const noexcept { return {bytes_.get() + size_, capacity_ - size_}; }

  /// Makes room for `capacity` bytes in all. Precondition: size <= capacity <= kMaxFrameSize.
  void grow(std::size_t capacity);
  /// Counts bytes that were written into room().
  void added(std::size_t count) noexcept { size_ += static_cast<std::uint32_t>(count); }
  /// Moves bytes from the front of `source` into room(), as many as fit.
  void take_from(MutableBytes& source) noexcept;
  void release() noexcept;
  /// Gives up the bytes, which stay where they are.
  [[nodiscard]] std::unique_ptr<std::uint8_t[]> take() noexcept {
    size_ = capacity_ = 0;
    return std::move(bytes_);
  }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace qsp::net
