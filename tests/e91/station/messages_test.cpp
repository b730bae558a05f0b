#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "e91/station/classical.hpp"
#include "e91/station/framing.hpp"
#include "e91/station/orders.hpp"

namespace qsp::e91::station {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer framed(const Buffer& message) {
  Buffer bytes = frame_head(message.size());
  bytes.insert(bytes.end(), message.begin(), message.end());
  return bytes;
}

TEST(Framing, messages_come_out_whole_however_the_stream_is_cut) {
  Buffer stream;
  const std::vector<Buffer> messages{{1}, Buffer(300, 7), {2, 3}};
  for (const Buffer& message : messages) std::ranges::copy(framed(message), std::back_inserter(stream));
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{5}, stream.size()}) {
    MessageReader reader(300);
    std::vector<Buffer> got;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      Bytes piece = Bytes(stream).subspan(at, std::min(step, stream.size() - at));
      for (;;) {
        auto message = reader.next(piece);
        ASSERT_TRUE(message.has_value());
        if (!*message) break;
        got.emplace_back((*message)->reveal().begin(), (*message)->reveal().end());
      }
      EXPECT_TRUE(piece.empty());
    }
    EXPECT_EQ(got, messages) << step;
  }
}

TEST(Framing, a_length_out_of_bounds_is_refused_before_its_bytes_come) {
  for (const Buffer& head : {frame_head(0), frame_head(11), Buffer{0xFF, 0xFF, 0xFF, 0xFF}}) {
    MessageReader reader(10);
    Bytes stream(head);
    EXPECT_FALSE(reader.next(stream).has_value());
  }
  MessageReader reader(10);
  const Buffer whole = framed(Buffer(10, 1));
  Bytes stream(whole);
  EXPECT_TRUE(reader.next(stream).value().has_value());
}

Order some_order() {
  Order order{
      .block = {.pairing = {1, 2, 3}, .number = 7}, .mode = Mode::Biased, .p_z = 0.9, .slots = 1000, .seed = Seed()};
  order.seed.writable()[0] = 42;
  return order;
}

Detections some_detections() {
  return {.block = {.pairing = {9}, .number = 3},
          .slots = post::kMaxSlots,
          .clicks = {Click(0, true), Click(1, false), Click(200, true), Click(post::kMaxSlots - 1, true)}};
}

TEST(Orders, what_is_sent_is_what_is_read) {
  const Order order = some_order();
  const auto read = parse_order(encode(order));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->block, order.block);
  EXPECT_EQ(read->slots, order.slots);
  EXPECT_EQ(read->p_z, order.p_z);
  EXPECT_TRUE(std::ranges::equal(read->seed.reveal(), order.seed.reveal()));
  EXPECT_LE(encode(order).size(), kMaxOrder);

  const Detections detections = some_detections();
  auto answer = parse_answer(encode(detections));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<Detections>(*answer).clicks, detections.clicks);
  EXPECT_EQ(std::get<Detections>(*answer).block, detections.block);

  answer = parse_answer(encode(Declined{.block = detections.block, .why = "no light"}));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<Declined>(*answer).why, "no light");
}

TEST(Orders, every_truncation_and_every_extra_byte_is_refused) {
  const Buffer order = encode(some_order());
  for (std::size_t size = 0; size < order.size(); ++size) EXPECT_FALSE(parse_order(Bytes(order).first(size)));
  Buffer longer = order;
  longer.push_back(0);
  EXPECT_FALSE(parse_order(longer));
  const Buffer detections = encode(some_detections());
  for (std::size_t size = 0; size < detections.size(); ++size) {
    EXPECT_FALSE(parse_answer(Bytes(detections).first(size))) << size;
  }
  longer = detections;
  longer.push_back(0);
  EXPECT_FALSE(parse_answer(longer));
}

TEST(Orders, a_count_that_the_bytes_cannot_hold_reserves_nothing) {
  Buffer detections = encode(some_detections());
  // type, pairing, number, slots, then the count
  std::fill_n(detections.begin() + 1 + 16 + 8 + 8, 4, 0xFF);
  EXPECT_FALSE(parse_answer(detections));
}

TEST(Orders, a_click_beyond_the_block_is_refused) {
  Detections detections = some_detections();
  detections.slots = post::kMaxSlots - 1;
  EXPECT_FALSE(parse_answer(encode(detections)));
}

TEST(Orders, numbers_out_of_bounds_are_refused) {
  for (const double p_z : {0.0, 1.0, -0.5, std::numeric_limits<double>::quiet_NaN()}) {
    Order order = some_order();
    order.p_z = p_z;
    EXPECT_FALSE(parse_order(encode(order)));
  }
  for (const std::uint64_t slots : {std::uint64_t{0}, post::kMaxSlots + 1}) {
    Order order = some_order();
    order.slots = slots;
    EXPECT_FALSE(parse_order(encode(order)));
  }
}

TEST(Classical, what_is_sent_is_what_is_read) {
  StationPlan plan{.post = {}, .p_z = 0.9, .slots = 12345};
  plan.post.mode = Mode::Classic;
  const auto read = parse_classical(encode(ClassicalMessage(plan)));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(std::get<StationPlan>(*read), plan);
  const auto invitation = parse_classical(encode(ClassicalMessage(Invitation{.block = 4, .wanted = kOwnerB})));
  EXPECT_EQ(std::get<Invitation>(invitation.value()).wanted, kOwnerB);
  const auto acceptance = parse_classical(encode(ClassicalMessage(Acceptance{.block = 4, .kept = kBothOwners})));
  EXPECT_EQ(std::get<Acceptance>(acceptance.value()).block, 4U);
  const auto block = parse_classical(encode(ClassicalMessage(BlockMessage{{1, 2, 3}})));
  EXPECT_EQ(std::get<BlockMessage>(block.value()).bytes, (Buffer{1, 2, 3}));
}

TEST(Classical, what_is_no_message_is_refused) {
  const Buffer plan = encode(ClassicalMessage(StationPlan{.post = {}, .p_z = 0.9, .slots = 1}));
  for (std::size_t size = 0; size < plan.size(); ++size) EXPECT_FALSE(parse_classical(Bytes(plan).first(size)));
  for (const std::uint8_t kind : Buffer{0, 5, 255}) EXPECT_FALSE(parse_classical(Buffer{kind, 0, 0}));
  for (const Owners owners : {Owners{0}, Owners{4}}) {
    EXPECT_FALSE(parse_classical(encode(ClassicalMessage(Invitation{.block = 1, .wanted = owners}))));
    EXPECT_FALSE(parse_classical(encode(ClassicalMessage(Acceptance{.block = 1, .kept = owners}))));
  }
  EXPECT_FALSE(parse_classical(encode(ClassicalMessage(StationPlan{.post = {}, .p_z = 0.9, .slots = 0}))));
}

}  // namespace
}  // namespace qsp::e91::station
