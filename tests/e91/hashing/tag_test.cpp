#include "e91/hashing/tag.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

#include "draw.hpp"

namespace qsp::e91::hashing {
namespace {

using Messages = std::vector<std::vector<std::uint8_t>>;

const std::vector<std::uint8_t>& key_bytes() {
  static const std::vector<std::uint8_t> bytes = draw_bytes(16, 11);
  return bytes;
}

TagPad pad() { return TagPad::copy_of(draw_bytes(16, 12)); }

TagStream stream_over(const Messages& messages, Side side = Side::Alice, std::uint64_t block = 7,
                      const Carryless& form = carryless()) {
  TagStream stream(TagKey::copy_of(key_bytes()), side, block, form);
  for (const auto& message : messages) EXPECT_TRUE(stream.update(message));
  return stream;
}

Tag tag_of(const Messages& messages, Side side = Side::Alice, std::uint64_t block = 7,
           const Carryless& form = carryless()) {
  const auto tag = stream_over(messages, side, block, form).finish(pad());
  EXPECT_TRUE(tag);
  return tag.value_or(Tag{});
}

Messages transcript() { return {draw_bytes(40, 1), draw_bytes(40, 2), draw_bytes(16, 3), {}, draw_bytes(1, 4)}; }

TEST(TagStream, forms_agree) {
  for (const Carryless& form : carryless_forms()) {
    EXPECT_EQ(tag_of(transcript(), Side::Bob, 9, form), tag_of(transcript(), Side::Bob, 9)) << form.name;
  }
}

TEST(TagStream, is_the_documented_polynomial_under_the_pad) {
  std::vector<std::uint8_t> blocks;
  const auto put = [&](std::uint64_t low, std::uint64_t high) {
    for (const std::uint64_t word : {low, high}) {
      for (unsigned i = 0; i < 8; ++i) blocks.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
    }
  };
  const auto message = draw_bytes(20, 1);
  put(0x0102030405060708, 2);
  put(1, 20);
  blocks.insert(blocks.end(), message.begin(), message.end());
  blocks.resize(blocks.size() + 12);
  put(1, ~std::uint64_t{0});
  Wide point;
  std::memcpy(&point, key_bytes().data(), sizeof point);
  const Wide sum = carryless_forms().back().evaluate128({}, point, blocks);
  Tag expected;
  std::memcpy(expected.data(), &sum, sizeof sum);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] ^= pad().reveal()[i];
  EXPECT_EQ(tag_of({message}, Side::Bob, 0x0102030405060708), expected);
}

TEST(TagStream, verifies_its_own_tag_and_no_other) {
  Tag tag = tag_of(transcript());
  EXPECT_TRUE(stream_over(transcript()).verify(pad(), tag));
  for (std::size_t bit = 0; bit < 128; ++bit) {
    tag[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto verified = stream_over(transcript()).verify(pad(), tag);
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().kind, ErrorKind::DecryptFailed);
    tag[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
  EXPECT_FALSE(stream_over(transcript()).verify(pad(), Bytes(tag).first(15)));
  EXPECT_FALSE(stream_over(transcript()).verify(pad(), {}));
}

TEST(TagStream, every_flipped_bit_gives_another_tag) {
  const Tag tag = tag_of(transcript());
  Messages messages = transcript();
  for (auto& message : messages) {
    for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
      message[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      EXPECT_NE(tag_of(messages), tag);
      message[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
  }
  EXPECT_EQ(tag_of(messages), tag);
}

TEST(TagStream, every_truncation_gives_another_tag) {
  std::set<Tag> tags{tag_of(transcript())};
  std::size_t expected = 1;
  for (Messages messages = transcript(); !messages.empty(); messages.pop_back()) {
    while (!messages.back().empty()) {
      messages.back().pop_back();
      tags.insert(tag_of(messages));
      ++expected;
    }
  }
  tags.insert(tag_of({}));
  EXPECT_EQ(tags.size(), expected + 1);
}

TEST(TagStream, moved_messages_and_boundaries_give_other_tags) {
  const Messages base = transcript();
  std::set<Tag> tags{tag_of(base)};
  std::size_t expected = 1;
  const auto expect_other = [&](const Messages& messages) {
    tags.insert(tag_of(messages));
    EXPECT_EQ(tags.size(), ++expected);
  };
  for (std::size_t a = 0; a < base.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      Messages swapped = base;
      std::swap(swapped[a], swapped[b]);
      expect_other(swapped);
    }
  }
  // The same bytes in one sequence, with boundaries elsewhere.
  for (std::size_t i = 0; i <= 80; ++i) {
    std::vector<std::uint8_t> joined = base[0];
    joined.insert(joined.end(), base[1].begin(), base[1].end());
    if (i == 40) continue;
    Messages moved = base;
    moved[0].assign(joined.begin(), joined.begin() + static_cast<std::ptrdiff_t>(i));
    moved[1].assign(joined.begin() + static_cast<std::ptrdiff_t>(i), joined.end());
    expect_other(moved);
  }
  // A message that pretends to be a boundary, and zeros that pretend to be the filling.
  Messages longer = base;
  longer.back().push_back(0);
  expect_other(longer);
  longer = base;
  longer.emplace_back();
  expect_other(longer);
  Messages framed = {base[0]};
  // 40 bytes and 8 of filling, then what introduces the second message.
  framed[0].resize(64);
  framed[0][48] = 2;
  framed[0][56] = 40;
  framed[0].insert(framed[0].end(), base[1].begin(), base[1].end());
  framed.insert(framed.end(), base.begin() + 2, base.end());
  expect_other(framed);
}

TEST(TagStream, direction_block_key_and_pad_give_other_tags) {
  const Tag tag = tag_of(transcript());
  EXPECT_NE(tag_of(transcript(), Side::Bob), tag);
  for (unsigned bit = 0; bit < 64; ++bit) {
    EXPECT_NE(tag_of(transcript(), Side::Alice, 7 ^ std::uint64_t{1} << bit), tag) << bit;
  }
  TagStream other_key(TagKey::copy_of(draw_bytes(16, 99)), Side::Alice, 7);
  for (const auto& message : transcript()) EXPECT_TRUE(other_key.update(message));
  EXPECT_FALSE(std::move(other_key).verify(pad(), tag));
  EXPECT_FALSE(stream_over(transcript()).verify(TagPad::copy_of(draw_bytes(16, 99)), tag));
}

TEST(TagStream, the_last_message_is_multiplied_by_the_key) {
  // Were the last block only added, flipping a bit of it would flip a known bit of the tag.
  Messages flipped = transcript();
  flipped.back()[0] ^= 1;
  const Tag tag = tag_of(transcript());
  const Tag other = tag_of(flipped);
  std::size_t differing = 0;
  for (std::size_t i = 0; i < tag.size(); ++i) differing += tag[i] != other[i] ? 1 : 0;
  EXPECT_GT(differing, 8U);
}

TEST(TagStream, refuses_keys_and_pads_of_another_size) {
  TagStream stream(TagKey::copy_of(Bytes(key_bytes()).first(15)), Side::Alice, 7);
  EXPECT_FALSE(stream.update(key_bytes()));
  EXPECT_FALSE(std::move(stream).finish(pad()));
  const auto tag = stream_over(transcript()).finish(TagPad(15));
  ASSERT_FALSE(tag);
  EXPECT_EQ(tag.error().kind, ErrorKind::ApiMisuse);
}

TEST(TagStream, a_stream_that_is_spent_gives_no_second_tag) {
  TagStream stream = stream_over(transcript());
  EXPECT_TRUE(std::move(stream).finish(pad()));
  EXPECT_FALSE(stream.update(key_bytes()));       // NOLINT(bugprone-use-after-move)
  EXPECT_FALSE(std::move(stream).finish(pad()));  // NOLINT(bugprone-use-after-move)
}

TEST(TagStream, refuses_a_transcript_past_its_limit) {
  TagStream stream(TagKey::copy_of(key_bytes()), Side::Alice, 7);
  // Never read: the limit is checked before any work.
  const std::uint8_t byte = 0;
  const auto updated = stream.update({&byte, TagStream::kMaxTagBlocks * 16});
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().reason, Reason::Limit);
  EXPECT_FALSE(stream.update({}));
  EXPECT_FALSE(std::move(stream).finish(pad()));
}

}  // namespace
}  // namespace qsp::e91::hashing
