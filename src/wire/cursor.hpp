#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/big_endian.hpp"
#include "qsp/bytes.hpp"

namespace qsp::wire {

/// The only parser: reads big-endian fields from a view and never past its end.
///
/// A read past the end, or a length outside its bounds, makes the reader fail for good; every later read then yields
/// zero or an empty view. So a parser reads all its fields and asks `finished()` once. Views point into the input.
class Reader {
 public:
  explicit Reader(Bytes input) noexcept : rest_(input) {}

  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(integer<1>()); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(integer<2>()); }
  std::uint32_t u24() noexcept { return static_cast<std::uint32_t>(integer<3>()); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(integer<4>()); }
  std::uint64_t u64() noexcept { return integer<8>(); }

  /// Exactly `size` bytes.
  Bytes bytes(std::size_t size) noexcept;

  /// Bytes behind their length in 8 or 16 bits; fails unless min <= length <= max.
  Bytes lp8(std::size_t min, std::size_t max) noexcept { return bounded(u8(), min, max); }
  Bytes lp16(std::size_t min, std::size_t max) noexcept { return bounded(u16(), min, max); }

  /// Fails unless the next bytes are exactly these (a magic, say).
  void expect(Bytes expected) noexcept;

  /// Everything that is left.
  Bytes rest() noexcept { return bytes(rest_.size()); }

  /// Records a failure that the caller found itself, such as a repeated item.
  void fail() noexcept;

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return rest_.size(); }

  /// True if nothing failed and nothing is left over.
  [[nodiscard]] bool finished() const noexcept { return ok_ && rest_.empty(); }

 private:
  template <std::size_t Size>
  std::uint64_t integer() noexcept {
    const Bytes taken = bytes(Size);
    return taken.empty() ? 0 : load_big_endian(taken.first<Size>());
  }
  Bytes bounded(std::size_t size, std::size_t min, std::size_t max) noexcept;

  Bytes rest_;
  bool ok_ = true;
};

/// Writes big-endian fields into a buffer of the caller's and never past its end.
///
/// Like Reader, it fails for good on overflow; `written()` is then empty and the caller asks once, at the end.
class Writer {
 public:
  explicit Writer(MutableBytes output) noexcept : output_(output) {}

  void u8(std::uint8_t value) noexcept { integer<1>(value); }
  void u16(std::uint16_t value) noexcept { integer<2>(value); }
  void u24(std::uint32_t value) noexcept { integer<3>(value); }
  void u32(std::uint32_t value) noexcept { integer<4>(value); }
  void u64(std::uint64_t value) noexcept { integer<8>(value); }
  void bytes(Bytes value) noexcept;

  /// Bytes behind their length in 8 or 16 bits; fails where the length does not fit.
  void lp8(Bytes value) noexcept;
  void lp16(Bytes value) noexcept;

  /// Room for `size` bytes that the caller fills, or an empty view on overflow.
  MutableBytes reserve(std::size_t size) noexcept;

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t size() const noexcept { return ok_ ? used_ : 0; }
  [[nodiscard]] Bytes written() const noexcept { return Bytes(output_).first(size()); }

 private:
  template <std::size_t Size>
  void integer(std::uint64_t value) noexcept {
    const MutableBytes room = reserve(Size);
    if (!room.empty()) std::ranges::copy(big_endian<Size>(value), room.begin());
  }

  MutableBytes output_;
  std::size_t used_ = 0;
  bool ok_ = true;
};

}  // namespace qsp::wire
