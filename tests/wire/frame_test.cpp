#include "wire/frame.hpp"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <optional>
#include <vector>

namespace qsp::wire {
namespace {

using Encoded = std::array<std::uint8_t, kFrameHeaderSize>;

constexpr FrameHeader kHeader{FrameType::Rekey, 0xa5, 0x0102030405060708, 0x11121314, 0x21222324, 3};
constexpr Encoded kEncoded{3, 0xa5, 1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x21, 0x22, 0x23, 0x24, 0, 0, 0, 3};

Result<void> any(const FrameHeader& /*header*/) { return {}; }

TEST(FrameHeader, is_twenty_two_bytes_in_network_order) {
  Encoded out{};
  encode(kHeader, out);
  EXPECT_EQ(out, kEncoded);
  const auto decoded = decode_header(kEncoded);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, kHeader);
}

TEST(FrameHeader, every_field_survives_a_round_trip_at_its_extremes) {
  for (std::uint8_t type = 1; type <= 4; ++type) {
    for (const std::uint32_t small : {0U, 1U, 0x7fffffffU, 0xffffffffU}) {
      for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        const FrameHeader header{
            static_cast<FrameType>(type), static_cast<std::uint8_t>(small), id, small, ~small, small};
        Encoded out{};
        encode(header, out);
        const auto decoded = decode_header(out);
        ASSERT_TRUE(decoded);
        EXPECT_EQ(*decoded, header);
      }
    }
  }
}

TEST(FrameHeader, only_four_types_exist) {
  for (std::uint32_t type = 0; type <= 0xff; ++type) {
    Encoded bytes = kEncoded;
    bytes[0] = static_cast<std::uint8_t>(type);
    const auto decoded = decode_header(bytes);
    ASSERT_EQ(decoded.has_value(), type >= 1 && type <= 4) << type;
    if (!decoded) {
      EXPECT_EQ(decoded.error().reason, Reason::ProtocolError);
    }
  }
}

TEST(CheckBounds, applies_the_row_of_the_type_inclusively) {
  constexpr FrameBounds kBounds{{{10, 20, 0x00}, {30, 40, 0x01}, {50, 60, 0x82}, {0, 0, 0xff}}};
  for (std::uint8_t type = 1; type <= 4; ++type) {
    const PayloadBounds& row = kBounds[type - 1U];
    for (std::uint32_t length = 0; length <= 70; ++length) {
      FrameHeader header{static_cast<FrameType>(type), 0, 0, 0, 0, length};
      EXPECT_EQ(check_bounds(header, kBounds).has_value(), length >= row.min && length <= row.max);
    }
    for (std::uint32_t flags = 0; flags <= 0xff; ++flags) {
      FrameHeader header{static_cast<FrameType>(type), static_cast<std::uint8_t>(flags), 0, 0, 0, row.min};
      EXPECT_EQ(check_bounds(header, kBounds).has_value(), (flags & ~std::uint32_t{row.allowed_flags}) == 0);
    }
    FrameHeader four_gigabytes{static_cast<FrameType>(type), 0, 0, 0, 0, 0xffffffff};
    const auto refused = check_bounds(four_gigabytes, kBounds);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, Reason::ProtocolError);
  }
}

TEST(DecodeFrame, asks_for_the_header_then_for_the_frame_byte_by_byte) {
  std::vector<std::uint8_t> stream(kEncoded.begin(), kEncoded.end());
  stream.insert(stream.end(), {0xaa, 0xbb, 0xcc, /* the next frame: */ 1, 2});
  for (std::size_t size = 0; size <= stream.size(); ++size) {
    std::size_t checks = 0;
    const auto decoded = decode_frame(MutableBytes(stream).first(size), [&](const FrameHeader& header) {
      ++checks;
      EXPECT_EQ(header, kHeader);
      return Result<void>{};
    });
    ASSERT_TRUE(decoded);
    EXPECT_EQ(checks, size >= kFrameHeaderSize ? 1U : 0U);
    if (size < kFrameHeaderSize + 3) {
      const auto* need = std::get_if<NeedBytes>(&*decoded);
      ASSERT_NE(need, nullptr) << size;
      EXPECT_EQ(need->total, size < kFrameHeaderSize ? kFrameHeaderSize : kFrameHeaderSize + 3);
      continue;
    }
    const auto* frame = std::get_if<FrameView>(&*decoded);
    ASSERT_NE(frame, nullptr) << size;
    EXPECT_EQ(frame->size(), kFrameHeaderSize + 3);
    EXPECT_EQ(frame->header_bytes.data(), stream.data());
    ASSERT_EQ(frame->payload.size(), 3U);
    EXPECT_EQ(frame->payload.data(), stream.data() + kFrameHeaderSize);
  }
}

TEST(DecodeFrame, refuses_from_the_header_alone_before_any_payload) {
  constexpr FrameBounds kBounds{{{0, 8, 0}, {0, 8, 0}, {0, 8, 0}, {0, 8, 0}}};
  const auto bounded = [&](const FrameHeader& header) { return check_bounds(header, kBounds); };
  for (const std::uint32_t length : {9U, 0x10000U, 0x7fffffffU, 0xffffffffU}) {
    Encoded bytes{};
    encode({FrameType::AppData, 0, 0, 0, 0, length}, bytes);
    EXPECT_FALSE(decode_frame(bytes, bounded)) << length;
    EXPECT_TRUE(decode_frame(MutableBytes(bytes).first(kFrameHeaderSize - 1), bounded)) << "not yet known";
  }
  Encoded unknown = kEncoded;
  unknown[0] = 5;
  bool asked = false;
  EXPECT_FALSE(decode_frame(unknown, [&](const FrameHeader& header) {
    asked = true;
    return any(header);
  }));
  EXPECT_FALSE(asked) << "an unknown type has no rules to ask for";
}

TEST(DecodeFrame, takes_one_frame_of_a_stream) {
  std::vector<std::uint8_t> stream;
  for (std::uint32_t i = 0; i < 5; ++i) {
    Encoded header{};
    encode({FrameType::AppData, 0, 7, 1, i, i}, header);
    stream.insert(stream.end(), header.begin(), header.end());
    stream.insert(stream.end(), i, static_cast<std::uint8_t>(i));
  }
  MutableBytes rest(stream);
  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto decoded = decode_frame(rest, any);
    ASSERT_TRUE(decoded);
    const auto* frame = std::get_if<FrameView>(&*decoded);
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->header.seq, i);
    EXPECT_EQ(frame->payload.size(), i);
    rest = rest.subspan(frame->size());
  }
  EXPECT_TRUE(rest.empty());
}

}  // namespace
}  // namespace qsp::wire
