#include "wire/cursor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace qsp::wire {
namespace {

std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

TEST(Reader, reads_integers_big_endian) {
  const auto bytes = counting(18);
  Reader reader(bytes);
  EXPECT_EQ(reader.u8(), 0x01U);
  EXPECT_EQ(reader.u16(), 0x0203U);
  EXPECT_EQ(reader.u24(), 0x040506U);
  EXPECT_EQ(reader.u32(), 0x0708090aU);
  EXPECT_EQ(reader.u64(), 0x0b0c0d0e0f101112U);
  EXPECT_TRUE(reader.finished());
}

TEST(Reader, fails_for_good_past_the_end_whatever_is_asked_for) {
  struct Read {
    std::size_t size;
    std::uint64_t (*read)(Reader&);
  };
  constexpr std::array<Read, 5> kReads{{
      {1, [](Reader& r) { return std::uint64_t{r.u8()}; }},
      {2, [](Reader& r) { return std::uint64_t{r.u16()}; }},
      {3, [](Reader& r) { return std::uint64_t{r.u24()}; }},
      {4, [](Reader& r) { return std::uint64_t{r.u32()}; }},
      {8, [](Reader& r) { return r.u64(); }},
  }};
  for (const Read& read : kReads) {
    for (std::size_t size = 0; size <= 9; ++size) {
      const auto bytes = counting(size);
      Reader reader(bytes);
      const std::uint64_t value = read.read(reader);
      EXPECT_EQ(reader.ok(), size >= read.size);
      EXPECT_EQ(reader.finished(), size == read.size);
      if (reader.ok()) continue;
      EXPECT_EQ(value, 0U) << "a failed read yields zero";
      EXPECT_EQ(reader.remaining(), 0U);
      EXPECT_EQ(reader.u8(), 0U);
      EXPECT_TRUE(reader.rest().empty());
      EXPECT_TRUE(reader.lp8(0, 255).empty());
      EXPECT_FALSE(reader.finished());
    }
  }
}

TEST(Reader, takes_exactly_the_bytes_asked_for_as_a_view) {
  const auto bytes = counting(10);
  for (std::size_t size = 0; size <= 12; ++size) {
    Reader reader(bytes);
    const Bytes taken = reader.bytes(size);
    ASSERT_EQ(reader.ok(), size <= 10);
    EXPECT_EQ(taken.size(), size <= 10 ? size : 0);
    if (!taken.empty()) {
      EXPECT_EQ(taken.data(), bytes.data());
    }
    EXPECT_EQ(reader.remaining(), size <= 10 ? 10 - size : 0);
  }
  Reader huge(bytes);
  (void)huge.u8();
  EXPECT_TRUE(huge.bytes(SIZE_MAX).empty());
  EXPECT_FALSE(huge.ok());
}

TEST(Reader, length_prefixes_are_checked_against_both_bounds_and_the_input) {
  for (std::size_t length = 0; length <= 6; ++length) {
    for (std::size_t present = 0; present <= 6; ++present) {
      std::vector<std::uint8_t> short_prefix{static_cast<std::uint8_t>(length)};
      std::vector<std::uint8_t> long_prefix{0, static_cast<std::uint8_t>(length)};
      short_prefix.resize(1 + present, 0xee);
      long_prefix.resize(2 + present, 0xee);
      const bool lawful = length >= 2 && length <= 4 && length <= present;

      Reader eight(short_prefix);
      EXPECT_EQ(eight.lp8(2, 4).size(), lawful ? length : 0);
      EXPECT_EQ(eight.ok(), lawful);
      Reader sixteen(long_prefix);
      EXPECT_EQ(sixteen.lp16(2, 4).size(), lawful ? length : 0);
      EXPECT_EQ(sixteen.ok(), lawful);
    }
  }
}

TEST(Reader, expect_accepts_nothing_but_these_bytes) {
  const auto bytes = counting(4);
  Reader same(bytes);
  same.expect(bytes);
  EXPECT_TRUE(same.finished());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto altered = bytes;
    altered[i] ^= 0x80;
    Reader reader(altered);
    reader.expect(bytes);
    EXPECT_FALSE(reader.ok());
  }
  Reader cut(Bytes(bytes).first(3));
  cut.expect(bytes);
  EXPECT_FALSE(cut.ok());
}

TEST(Reader, leftovers_are_not_finished) {
  const auto bytes = counting(3);
  Reader reader(bytes);
  (void)reader.u16();
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.finished());
  EXPECT_EQ(reader.rest().size(), 1U);
  EXPECT_TRUE(reader.finished());
  reader.fail();
  EXPECT_FALSE(reader.finished());
}

TEST(Writer, writes_integers_big_endian) {
  std::array<std::uint8_t, 18> out{};
  Writer writer(out);
  writer.u8(0x01);
  writer.u16(0x0203);
  writer.u24(0x040506);
  writer.u32(0x0708090a);
  writer.u64(0x0b0c0d0e0f101112);
  EXPECT_TRUE(writer.ok());
  EXPECT_TRUE(std::ranges::equal(writer.written(), counting(18)));
}

TEST(Writer, never_writes_past_its_buffer_and_then_has_written_nothing) {
  for (std::size_t room = 0; room < 18; ++room) {
    std::vector<std::uint8_t> out(18 + 8, 0xcc);
    Writer writer(MutableBytes(out).first(room));
    writer.u8(1);
    writer.u16(2);
    writer.u24(3);
    writer.u32(4);
    writer.u64(5);
    EXPECT_FALSE(writer.ok());
    EXPECT_EQ(writer.size(), 0U);
    EXPECT_TRUE(writer.written().empty());
    for (std::size_t i = room; i < out.size(); ++i) EXPECT_EQ(out[i], 0xcc) << "byte " << i << " of " << room;
    writer.u8(1);
    EXPECT_FALSE(writer.ok()) << "a failure is for good";
  }
}

TEST(Writer, length_prefixes_refuse_what_they_cannot_count) {
  std::vector<std::uint8_t> out(70'000);
  const std::vector<std::uint8_t> long_value(65'536);
  Writer eight(out);
  eight.lp8(Bytes(long_value).first(255));
  EXPECT_EQ(eight.size(), 256U);
  eight.lp8(Bytes(long_value).first(256));
  EXPECT_FALSE(eight.ok());
  Writer sixteen(out);
  sixteen.lp16(Bytes(long_value).first(65'535));
  EXPECT_EQ(sixteen.size(), 65'537U);
  Writer over(out);
  over.lp16(long_value);
  EXPECT_FALSE(over.ok());
}

TEST(Writer, reserve_hands_out_room_in_place) {
  std::array<std::uint8_t, 4> out{};
  Writer writer(out);
  writer.u8(9);
  const MutableBytes room = writer.reserve(2);
  ASSERT_EQ(room.size(), 2U);
  EXPECT_EQ(room.data(), out.data() + 1);
  EXPECT_TRUE(writer.reserve(2).empty());
  EXPECT_FALSE(writer.ok());
}

}  // namespace
}  // namespace qsp::wire
