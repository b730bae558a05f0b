#include "wire/rekey.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "wire/handshake.hpp"

namespace qsp::wire {
namespace {

using Message = std::vector<std::uint8_t>;
constexpr std::string_view kUuid = "0f0e0d0c-0b0a-4988-8766-55443322110f";

template <class T>
Message encoded(const T& message) {
  Message out(kMaxRekeyPlaintext);
  out.resize(encode(message, out));
  return out;
}

std::array<std::uint8_t, 32> filled(std::uint8_t start) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(start + i);
  return bytes;
}

const Message kShare(1'665, 0x3c);

std::vector<Message> samples() {
  std::vector<Message> all;
  for (const Bytes share : {Bytes(), Bytes(kShare)}) {
    for (const std::string_view key_id : {std::string_view(), kUuid}) {
      all.push_back(encoded(RekeyInit{0x0102'0304, filled(1), share, key_id}));
    }
    all.push_back(encoded(RekeyAck{0x0102'0304, filled(2), share}));
  }
  all.push_back(encoded(RekeyRequest{0x0102'0304}));
  all.push_back(encoded(RekeyNak{0x0102'0304, Reason::QkdUnavailable}));
  all.push_back(encoded(RekeyDone{0x0102'0304}));
  return all;
}

TEST(RekeyCodec, every_message_has_the_specifications_layout) {
  const Message init = encoded(RekeyInit{0x0102'0304, filled(1), kShare, kUuid});
  EXPECT_EQ(init.size(), 44 + kShare.size() + kUuid.size());
  EXPECT_EQ(Message(init.begin(), init.begin() + 10), (Message{'R', 'K', '1', '0', 1, 1, 2, 3, 4, 1}));
  EXPECT_EQ(init[41] << 8 | init[42], 1'665);
  EXPECT_EQ(init[43 + kShare.size()], 36);
  const Message ack = encoded(RekeyAck{7, filled(2), kShare});
  EXPECT_EQ(ack.size(), 43 + kShare.size());
  EXPECT_EQ(ack[4], 2);
  EXPECT_EQ(ack[kAckConfirmBegin], 2);
  EXPECT_EQ(ack[kAckConfirmEnd] << 8 | ack[kAckConfirmEnd + 1], 1'665);
  EXPECT_EQ(encoded(RekeyRequest{7}), (Message{'R', 'K', '1', '0', 3, 0, 0, 0, 7}));
  EXPECT_EQ(encoded(RekeyNak{7, Reason::QkdUnavailable}), (Message{'R', 'K', '1', '0', 4, 0, 0, 0, 7, 0, 60}));
  EXPECT_EQ(encoded(RekeyDone{7}), (Message{'R', 'K', '1', '0', 5, 0, 0, 0, 7}));
}

TEST(RekeyCodec, what_was_written_is_read) {
  for (const Message& message : samples()) {
    const auto read = parse_rekey(message);
    ASSERT_TRUE(read);
    EXPECT_EQ(std::visit([](const auto& parsed) { return encoded(parsed); }, *read), message);
    EXPECT_EQ(std::visit([](const auto& parsed) { return parsed.new_epoch; }, *read), 0x0102'0304U);
  }
}

// SPEC §2.5.
TEST(RekeyCodec, nothing_shorter_or_longer_is_read) {
  for (const Message& message : samples()) {
    for (std::size_t size = 0; size < message.size(); ++size) {
      EXPECT_FALSE(parse_rekey(Bytes(message).first(size))) << int{message[4]} << " cut at " << size;
    }
    Message longer = message;
    longer.push_back(0);
    EXPECT_FALSE(parse_rekey(longer));
  }
}

TEST(RekeyCodec, another_magic_or_type_is_refused) {
  for (const Message& message : samples()) {
    for (std::size_t byte = 0; byte < 4; ++byte) {
      Message wrong = message;
      wrong[byte] ^= 1;
      EXPECT_FALSE(parse_rekey(wrong));
    }
    for (const int type : {0, 6, 128, 255}) {
      Message wrong = message;
      wrong[4] = static_cast<std::uint8_t>(type);
      EXPECT_FALSE(parse_rekey(wrong));
    }
  }
}

TEST(RekeyCodec, a_key_id_is_empty_or_a_uuid) {
  std::string wrong(kUuid);
  wrong[3] = 'x';
  for (const std::string_view key_id : {std::string_view(wrong), kUuid.substr(1), std::string_view("-")}) {
    EXPECT_FALSE(parse_rekey(encoded(RekeyInit{2, filled(0), {}, key_id}))) << key_id;
  }
  EXPECT_FALSE(parse_rekey(encoded(RekeyInit{2, filled(0), {}, std::string(kUuid) + "0"})));
}

TEST(RekeyCodec, a_nak_has_no_other_reason) {
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    const bool lawful = parse_rekey(encoded(RekeyNak{2, static_cast<Reason>(code)})).has_value();
    EXPECT_EQ(lawful, code == 60) << code;
  }
}

TEST(RekeyCodec, a_writer_never_passes_the_end) {
  Message small(60);
  EXPECT_EQ(encode(RekeyInit{2, filled(0), kShare, kUuid}, small), 0U);
  EXPECT_EQ(encode(RekeyAck{2, {}, kShare}, small), 0U);
}

TEST(CloseCodec, what_was_written_is_read_up_to_1024_bytes_of_text) {
  const std::string text(1'024, 'c');
  for (const std::string_view said : {std::string_view(), std::string_view("bye"), std::string_view(text)}) {
    Message message(2'000);
    message.resize(encode(Close{Reason::Timeout, said}, message));
    ASSERT_EQ(message.size(), 2 + said.size());
    const auto read = parse_close(message);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->reason, Reason::Timeout);
    EXPECT_EQ(read->text, said);
  }
  Message cut(2'000);
  EXPECT_EQ(encode(Close{Reason::Normal, std::string(3'000, 'x')}, cut), 1'026U);
}

// SPEC §8.3.
TEST(CloseCodec, a_plaintext_below_2_or_above_1026_bytes_is_refused) {
  EXPECT_FALSE(parse_close({}));
  EXPECT_FALSE(parse_close(Message{0}));
  EXPECT_TRUE(parse_close(Message(1'026)));
  EXPECT_FALSE(parse_close(Message(1'027)));
}

/// SPEC §8.3: "a plaintext … with an unassigned reason, is PROTOCOL_ERROR, a failure like any other".
TEST(CloseCodec, an_unassigned_reason_does_not_parse) {
  for (int code = 0; code <= 0xffff; ++code) {
    const auto read = parse_close(Message{static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code)});
    EXPECT_EQ(read.has_value(), reason_from_wire(static_cast<std::uint16_t>(code)).has_value()) << code;
  }
}

}  // namespace
}  // namespace qsp::wire
