// The frame decoder: any bytes, offered at once and byte by byte. First byte: the bounds to apply; the rest: the
// stream.

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "check.hpp"
#include "wire/frame.hpp"

namespace {

using namespace qsp;
using fuzz::check;

constexpr std::array<wire::FrameBounds, 3> kBounds{{
    {{{36, 36, 0}, {28, 65'564, 0}, {69, 69, 0}, {30, 1054, 0}}},
    {{{0, 16'384, 0}, {16, 65'552, 1}, {16, 8192, 0}, {16, 1200, 0}}},
    {{{0, 8, 0xff}, {0, 0, 0x0f}, {1, 2, 0xf0}, {3, 3, 0}}},
}};

/// The size of the first frame; 0: not whole; nothing: refused.
std::optional<std::size_t> decode(MutableBytes in, const wire::FrameBounds& bounds) {
  const auto decoded =
      wire::decode_frame(in, [&](const wire::FrameHeader& h) { return wire::check_bounds(h, bounds); });
  if (!decoded) return std::nullopt;
  if (const auto* need = std::get_if<wire::NeedBytes>(&*decoded)) {
    check(need->total > in.size(), "asks for bytes that are there");
    check(need->total <= wire::kFrameHeaderSize + 65'564, "asks for more than any bound");
    return 0;
  }
  const auto& frame = std::get<wire::FrameView>(*decoded);
  check(frame.size() <= in.size(), "a frame longer than its input");
  check(frame.payload.data() == in.data() + wire::kFrameHeaderSize, "a payload elsewhere");
  check(wire::check_bounds(frame.header, bounds).has_value(), "a frame out of bounds");
  std::array<std::uint8_t, wire::kFrameHeaderSize> again{};
  wire::encode(frame.header, again);
  check(std::ranges::equal(again, frame.header_bytes), "a header that encodes to other bytes");
  return frame.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& bounds = kBounds[data[0] % kBounds.size()];
  std::vector<std::uint8_t> stream(data + 1, data + size);
  MutableBytes rest(stream);
  while (!rest.empty()) {
    const auto whole = decode(rest, bounds);
    // Byte by byte the outcome is the same, only later.
    for (std::size_t part = 0; part < std::min<std::size_t>(rest.size(), 100); ++part) {
      const auto early = decode(rest.first(part), bounds);
      check(!early || *early == 0 || early == whole, "another frame when offered in part");
      check(early || !whole, "refused in part, accepted whole");
    }
    if (!whole || *whole == 0) break;
    rest = rest.subspan(*whole);
  }
  return 0;
}
