#include "wire/cursor.hpp"

#include <algorithm>

namespace qsp::wire {

Bytes Reader::bytes(std::size_t size) noexcept {
  if (!ok_ || size > rest_.size()) {
    fail();
    return {};
  }
  const Bytes taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

Bytes Reader::bounded(std::size_t size, std::size_t min, std::size_t max) noexcept {
  if (size < min || size > max) fail();
  return bytes(size);
}

void Reader::expect(Bytes expected) noexcept {
  const Bytes found = bytes(expected.size());
  if (!std::ranges::equal(found, expected)) fail();
}

void Reader::fail() noexcept {
  ok_ = false;
  rest_ = {};
}

MutableBytes Writer::reserve(std::size_t size) noexcept {
  if (!ok_ || size > output_.size() - used_) {
    ok_ = false;
    return {};
  }
  const MutableBytes room = output_.subspan(used_, size);
  used_ += size;
  return room;
}

void Writer::bytes(Bytes value) noexcept {
  const MutableBytes room = reserve(value.size());
  // libstdc++ 12's ranges::copy goes byte by byte where its source is const.
  if (ok_) std::copy(value.begin(), value.end(), room.begin());
}

void Writer::lp8(Bytes value) noexcept {
  if (value.size() > 0xff) ok_ = false;
  u8(static_cast<std::uint8_t>(value.size()));
  bytes(value);
}

void Writer::lp16(Bytes value) noexcept {
  if (value.size() > 0xffff) ok_ = false;
  u16(static_cast<std::uint16_t>(value.size()));
  bytes(value);
}

}  // namespace qsp::wire
