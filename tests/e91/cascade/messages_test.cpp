#include "e91/cascade/messages.hpp"

#include <gtest/gtest.h>

#include "ends.hpp"

namespace qsp::e91::cascade::test {
namespace {

constexpr std::size_t kSize = 20000;

QueryBatch sample() {
  return {.groups = {{.ask = Ask::Halves, .pass = 0, .level = 3, .count = 4},
                     {.ask = Ask::Syndromes, .pass = 0, .level = 2, .count = 3},
                     {.ask = Ask::Halves, .pass = 1, .level = 14, .count = 1},
                     {.ask = Ask::Open, .pass = 2, .level = 5, .layout = Layout::Shuffled, .count = 640}},
          .nodes = {0, 1, 7, 2499, 100, 101, 4000, 0}};
}

TEST(CascadeMessages, read_back_as_they_were_written) {
  const QueryBatch batch = sample();
  QueryBatch read;
  ASSERT_TRUE(decode(encode(batch), kSize, batch.answer_bits(), read));
  EXPECT_EQ(read, batch);
}

TEST(CascadeMessages, read_back_for_any_gaps) {
  auto random = stream_of(1);
  for (int i = 0; i < 300; ++i) {
    const unsigned spread = static_cast<unsigned>(random.next() % 17) + 1;
    QueryBatch batch;
    std::uint64_t node = random.next() >> (64 - spread);
    while (node < nodes_of(kMaxCascadeKey, 1) && batch.nodes.size() < 1 + random.next() % 400) {
      batch.nodes.push_back(static_cast<std::uint32_t>(node));
      node += 1 + (random.next() % 8 == 0 ? random.next() >> (64 - spread) : 0);
    }
    batch.groups = {
        {.ask = Ask::Halves, .pass = 3, .level = 1, .count = static_cast<std::uint32_t>(batch.nodes.size())}};
    QueryBatch read;
    ASSERT_TRUE(decode(encode(batch), kMaxCascadeKey, 1000, read));
    ASSERT_EQ(read, batch);
  }
}

TEST(CascadeMessages, cut_short_are_refused_or_shorter) {
  const std::vector<std::uint8_t> bytes = encode(sample());
  QueryBatch read;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = decode(Bytes(bytes).first(size), kSize, 1000, read);
    if (decoded) {
      EXPECT_LT(read.groups.size(), sample().groups.size());
    }
  }
  std::vector<std::uint8_t> longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode(longer, kSize, 1000, read));
}

/// Every byte to every value: what is read is within its bounds, and there is one way to write it.
TEST(CascadeMessages, altered_are_refused_or_well_formed) {
  const std::vector<std::uint8_t> bytes = encode(sample());
  QueryBatch read;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (unsigned value = 0; value < 256; ++value) {
      std::vector<std::uint8_t> altered = bytes;
      altered[i] = static_cast<std::uint8_t>(value);
      if (!decode(altered, kSize, 1000, read)) continue;
      EXPECT_LE(read.answer_bits(), 1000U);
      EXPECT_EQ(encode(read), altered) << i << " " << value;
    }
  }
}

TEST(CascadeMessages, beyond_the_budget_are_refused_by_name) {
  const std::vector<std::uint8_t> bytes = encode(sample());
  QueryBatch read;
  const auto decoded = decode(bytes, kSize, sample().answer_bits() - 1, read);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().reason, Reason::Limit);
}

TEST(CascadeMessages, answers_are_exactly_those_expected) {
  auto random = stream_of(2);
  for (const std::size_t size : std::vector<std::size_t>{1, 7, 8, 9, 64, 65}) {
    const Bits answers = random_bits(random, size);
    std::vector<std::uint8_t> bytes = encode(answers);
    const auto read = decode_answers(bytes, size);
    ASSERT_TRUE(read);
    EXPECT_EQ(distance(*read, answers), 0U);
    EXPECT_FALSE(decode_answers(Bytes(bytes).first(bytes.size() - 1), size));
    if (size % 8 != 0) {
      bytes.back() |= 0x80;
      EXPECT_FALSE(decode_answers(bytes, size)) << "a bit behind the last answer";
    }
    bytes.push_back(0);
    EXPECT_FALSE(decode_answers(bytes, size));
  }
}

}  // namespace
}  // namespace qsp::e91::cascade::test
