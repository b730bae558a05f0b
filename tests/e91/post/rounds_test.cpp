#include "e91/post/rounds.hpp"

#include <gtest/gtest.h>

namespace qsp::e91::post {
namespace {

std::vector<std::uint64_t> slots_of(const SlotList& list) {
  SlotList::Cursor cursor(list);
  std::vector<std::uint64_t> slots(list.size());
  for (std::uint64_t& slot : slots) slot = cursor.next();
  return slots;
}

TEST(SlotList, gives_back_what_went_in) {
  const std::vector<std::uint64_t> slots{0, 1, 2, 129, 130, 258, 259, 16643, std::uint64_t{1} << 47};
  SlotList list;
  for (const std::uint64_t slot : slots) list.push_back(slot);
  EXPECT_EQ(slots_of(list), slots);
  // Gaps of 0, 0, 0, 126, 0, 127, 0 take a byte each, 16383 two, the last seven.
  EXPECT_EQ(list.gaps().size(), 7U + 2 + 7);
  const auto again = SlotList::parse(list.gaps(), slots.size(), slots.back() + 1);
  ASSERT_TRUE(again);
  EXPECT_EQ(slots_of(*again), slots);
}

TEST(SlotList, is_read_only_if_it_is_whole_and_inside_the_block) {
  const SlotList list{3, 500, 501};
  EXPECT_TRUE(SlotList::parse(list.gaps(), 3, 502));
  EXPECT_FALSE(SlotList::parse(list.gaps(), 3, 501)) << "the last slot is outside";
  EXPECT_FALSE(SlotList::parse(list.gaps(), 2, 502)) << "bytes are left";
  EXPECT_FALSE(SlotList::parse(list.gaps(), 4, 502)) << "a slot is missing";
  EXPECT_FALSE(SlotList::parse(list.gaps().first(list.gaps().size() - 1), 3, 502));
  EXPECT_TRUE(SlotList::parse({}, 0, 0));
  EXPECT_FALSE(SlotList::parse(list.gaps(), 3, 0));
  const std::vector<std::uint8_t> longer{0x83, 0x00};
  EXPECT_FALSE(SlotList::parse(longer, 1, 502)) << "3 in two bytes";
  // A gap that would wrap the count of slots round.
  const std::vector<std::uint8_t> wraps{0x05, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F};
  EXPECT_FALSE(SlotList::parse(wraps, 2, std::uint64_t{1} << 48));
}

TEST(SettingList, gives_back_what_went_in) {
  SettingList list(100);
  for (std::uint8_t i = 0; i < 100; ++i) list.push_back(i % 7 & 3);
  for (std::uint8_t i = 0; i < 100; ++i) ASSERT_EQ(list[i], i % 7 & 3) << int{i};
  const auto bytes = list.bytes();
  EXPECT_EQ(bytes.size(), 25U);
  const auto again = SettingList::parse(bytes, 100);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->bytes(), bytes);
}

TEST(SettingList, leaves_out_the_room_that_it_did_not_use) {
  SettingList list(1000);
  for (std::uint8_t i = 1; i < 6; ++i) list.push_back(i & 3);
  EXPECT_EQ(list.bytes(), (std::vector<std::uint8_t>{0b00'11'10'01, 0b01}));
}

TEST(SettingList, is_read_in_one_form_only) {
  EXPECT_TRUE(SettingList::parse(std::vector<std::uint8_t>{0xFF, 0x03}, 5));
  EXPECT_FALSE(SettingList::parse(std::vector<std::uint8_t>{0xFF, 0x07}, 5)) << "bits behind the end";
  EXPECT_FALSE(SettingList::parse(std::vector<std::uint8_t>{0xFF}, 5));
  EXPECT_FALSE(SettingList::parse(std::vector<std::uint8_t>{0xFF, 0x03, 0x00}, 5));
  EXPECT_TRUE(SettingList::parse({}, 0));
}

TEST(SettingList, knows_whether_all_exist) {
  for (std::uint8_t odd = 0; odd < 4; ++odd) {
    for (std::size_t place : {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{69}}) {
      SettingList list(70);
      for (std::size_t i = 0; i < 70; ++i) list.push_back(i == place ? odd : static_cast<std::uint8_t>(i % 2));
      EXPECT_EQ(list.all_below(2), odd < 2);
      EXPECT_EQ(list.all_below(3), odd < 3);
      EXPECT_TRUE(list.all_below(4));
    }
  }
}

}  // namespace
}  // namespace qsp::e91::post
