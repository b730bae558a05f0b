#include "wire/handshake.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "wire/cursor.hpp"

namespace qsp::wire {
namespace {

using Message = std::vector<std::uint8_t>;
constexpr std::string_view kUuid = "0f0e0d0c-0b0a-4988-8766-55443322110F";

void mend_length(Message& message) {
  Writer(MutableBytes(message).subspan(1, 3)).u24(static_cast<std::uint32_t>(message.size() - kMessageHeaderSize));
}

Random filled(std::uint8_t start) {
  Random random;
  for (std::size_t i = 0; i < random.size(); ++i) random[i] = static_cast<std::uint8_t>(start + i);
  return random;
}

const Message kShare(1'216, 0x5a);
const Message kOtherShare{1, 2, 3};

ClientHello client_hello() {
  ClientHello hello;
  hello.versions.push_back(kVersion1);
  hello.nonce = filled(1);
  hello.shares.push_back({0x11ec, kShare});
  hello.shares.push_back({0x0200, kOtherShare});
  hello.signatures.push_back(0x0905);
  hello.signatures.push_back(0xfe05);
  hello.aeads.push_back(2);
  hello.aeads.push_back(29);
  hello.qkd_offer = 2;
  hello.applications.push_back(as_bytes("a"));
  hello.applications.push_back(as_bytes("bb"));
  return hello;
}

ServerHello server_hello() {
  return {.version = kVersion1,
          .nonce = filled(2),
          .session_id = 0x0102'0304'0506'0708,
          .kem = 0x11ec,
          .signature = 0x0905,
          .aead = 29,
          .qkd_mode = 1,
          .kem_ciphertext = kShare};
}

Message server_auth(bool qkd) {
  ServerAuth auth;
  auth.identity = filled(3);
  auth.signatures.push_back(0x0905);
  auth.sae_id = "SAE-bob";
  auth.application = "app";
  Message message = encode_to_signature(auth, qkd, 64);
  append_signature(message, Message(64, 9));
  return message;
}

Message client_auth(bool qkd) {
  ClientAuth auth;
  auth.identity = filled(4);
  auth.signature_algorithm = 0x0905;
  auth.sae_id = "SAE-alice";
  auth.key_id = kUuid;
  Message message = encode_to_signature(auth, qkd, 64);
  append_signature(message, Message(64, 8));
  message.insert(message.end(), 32, 7);
  return message;
}

Message server_finish() {
  Message message = encode_server_finish_to_confirm();
  message.insert(message.end(), 32, 6);
  return message;
}

/// A message and the parser that takes it.
struct Sample {
  std::string_view name;
  Message message;
  std::function<bool(Bytes)> parses;
  std::size_t extensions_end;  ///< bytes behind the extensions block
  bool extension_1;            ///< it is lawful here, and there
};

std::vector<Sample> samples() {
  return {
      {"CLIENT_HELLO", encode(client_hello()), [](Bytes m) { return parse_client_hello(m).has_value(); }, 0, true},
      {"SERVER_HELLO", encode(server_hello()), [](Bytes m) { return parse_server_hello(m).has_value(); }, 0, false},
      {"SERVER_AUTH_0", server_auth(false), [](Bytes m) { return parse_server_auth(m, false).has_value(); }, 66, true},
      {"SERVER_AUTH_1", server_auth(true), [](Bytes m) { return parse_server_auth(m, true).has_value(); }, 66, true},
      {"CLIENT_AUTH_0", client_auth(false), [](Bytes m) { return parse_client_auth(m, false).has_value(); }, 98, false},
      {"CLIENT_AUTH_1", client_auth(true), [](Bytes m) { return parse_client_auth(m, true).has_value(); }, 98, false},
      {"SERVER_FINISH", server_finish(), [](Bytes m) { return parse_server_finish(m).has_value(); }, 32, false},
      {"ALERT", encode(Alert{Reason::Limit, "text"}), [](Bytes m) { return parse_alert(m).has_value(); }, 0, false},
  };
}

class HandshakeCodec : public testing::TestWithParam<Sample> {};

// SPEC §2.5.
TEST_P(HandshakeCodec, takes_the_whole_message_and_nothing_shorter_or_longer) {
  const Sample& sample = GetParam();
  ASSERT_TRUE(sample.parses(sample.message));
  for (std::size_t size = 0; size < sample.message.size(); ++size) {
    Message cut(sample.message.begin(), sample.message.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(sample.parses(cut)) << size;
    if (size < kMessageHeaderSize) continue;
    mend_length(cut);
    EXPECT_FALSE(sample.parses(cut)) << size << " with a mended length";
  }
  Message longer = sample.message;
  longer.push_back(0);
  EXPECT_FALSE(sample.parses(longer));
  mend_length(longer);
  EXPECT_FALSE(sample.parses(longer));
}

// SPEC §5.1, Appendix B 3.
TEST_P(HandshakeCodec, its_type_and_length_are_checked) {
  const Sample& sample = GetParam();
  ASSERT_TRUE(message_type(sample.message));
  for (std::size_t byte = 0; byte < kMessageHeaderSize; ++byte) {
    Message wrong = sample.message;
    wrong[byte] ^= 0x40;
    EXPECT_FALSE(sample.parses(wrong)) << byte;
    EXPECT_FALSE(message_type(wrong)) << byte;
  }
}

/// Replaces the extensions block.
Message with_extensions(const Sample& sample, const Message& block) {
  // The block of a sample is empty, or holds extension 1.
  Message message = sample.message;
  const auto end = message.end() - static_cast<std::ptrdiff_t>(sample.extensions_end);
  const std::ptrdiff_t size = sample.extension_1 ? (sample.name == "CLIENT_HELLO" ? 12 : 10) : 2;
  const auto at = message.erase(end - size, end);
  Message whole{static_cast<std::uint8_t>(block.size() >> 8), static_cast<std::uint8_t>(block.size())};
  whole.insert(whole.end(), block.begin(), block.end());
  message.insert(at, whole.begin(), whole.end());
  mend_length(message);
  return message;
}

// SPEC §5.2.
TEST_P(HandshakeCodec, extensions_ascend_are_whole_and_unknown_ones_are_ignored) {
  const Sample& sample = GetParam();
  if (sample.name == "ALERT") return;
  const auto parses = [&](const Message& block) { return sample.parses(with_extensions(sample, block)); };
  EXPECT_TRUE(parses({}));
  EXPECT_TRUE(parses({0, 2, 0, 0}));
  EXPECT_TRUE(parses({0, 0, 0, 1, 9, 0, 2, 0, 0, 0xff, 0xff, 0, 2, 1, 2}));
  EXPECT_FALSE(parses({0, 2, 0, 0, 0, 2, 0, 0})) << "a repeat";
  EXPECT_FALSE(parses({0, 3, 0, 0, 0, 2, 0, 0})) << "out of order";
  EXPECT_FALSE(parses({0, 2, 0, 1})) << "data missing";
  EXPECT_FALSE(parses({0, 2, 0})) << "half a header";
  EXPECT_FALSE(parses({0, 2, 0, 0, 9})) << "leftovers";
  if (!sample.extension_1) {
    EXPECT_FALSE(parses({0, 1, 0, 3, 1, 1, 'x'})) << "extension 1 does not belong here";
    return;
  }
  const bool hello = sample.name == "CLIENT_HELLO";
  EXPECT_EQ(parses({0, 1, 0, 3, 1, 1, 'x'}), hello);
  EXPECT_EQ(parses({0, 1, 0, 2, 1, 'x'}), !hello);
  EXPECT_FALSE(parses({0, 1, 0, 0})) << "no name";
  EXPECT_FALSE(parses({0, 1, 0, 1, 0})) << "an empty list, or an empty name";
  EXPECT_FALSE(parses({0, 1, 0, 4, 1, 1, 'x', 0})) << "leftovers";
  EXPECT_FALSE(parses({0, 1, 0, 5, 2, 1, 'x', 1, 'x'})) << "a repeated name, or leftovers";
}

INSTANTIATE_TEST_SUITE_P(Every, HandshakeCodec, testing::ValuesIn(samples()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(ClientHelloCodec, what_was_written_is_read) {
  const Message message = encode(client_hello());
  const auto read = parse_client_hello(message).value();
  EXPECT_EQ(message_type(message), MessageType::ClientHello);
  EXPECT_TRUE(std::ranges::equal(read.versions, std::array{kVersion1}));
  EXPECT_EQ(read.nonce, filled(1));
  ASSERT_EQ(read.shares.size(), 2U);
  EXPECT_EQ(read.shares.begin()->kem, 0x11ec);
  EXPECT_TRUE(std::ranges::equal(read.shares.begin()->public_key, kShare));
  EXPECT_TRUE(std::ranges::equal(read.shares.begin()[1].public_key, kOtherShare));
  EXPECT_TRUE(std::ranges::equal(read.signatures, std::array<std::uint16_t, 2>{0x0905, 0xfe05}));
  EXPECT_TRUE(std::ranges::equal(read.aeads, std::array<std::uint16_t, 2>{2, 29}));
  EXPECT_EQ(read.qkd_offer, 2);
  ASSERT_EQ(read.applications.size(), 2U);
  EXPECT_EQ(as_text(read.applications.begin()[1]), "bb");
  EXPECT_EQ(encode(read), message);
}

TEST(ServerHelloCodec, every_field_stands_at_the_specifications_offset) {
  const Message message = encode(server_hello());
  const auto read = parse_server_hello(message).value();
  EXPECT_EQ(encode(read), message);
  const auto u16 = [&](std::size_t at) { return message[at] << 8 | message[at + 1]; };
  EXPECT_EQ(u16(4), 0x0100);
  EXPECT_EQ(message[6], 2);
  EXPECT_EQ(message[45], 8);
  EXPECT_EQ(u16(46), 0x11ec);
  EXPECT_EQ(u16(48), 0x0905);
  EXPECT_EQ(u16(50), 29);
  EXPECT_EQ(message[52], 1);
  EXPECT_EQ(u16(53), 1'216);
  EXPECT_EQ(u16(55 + 1'216), 0);
  EXPECT_EQ(read.session_id, 0x0102'0304'0506'0708U);
}

TEST(AuthCodec, the_signed_part_ends_before_the_signature_and_up_to_confirm_before_the_confirm) {
  for (const bool qkd : {false, true}) {
    const Message sa = server_auth(qkd);
    const auto server = parse_server_auth(sa, qkd).value();
    EXPECT_EQ(server.signed_part.size(), sa.size() - 2 - 64);
    EXPECT_EQ(server.signed_part.data(), sa.data());
    EXPECT_EQ(server.application, "app");
    EXPECT_EQ(server.sae_id, qkd ? "SAE-bob" : "");
    EXPECT_EQ(server.identity, filled(3));
    const Message ca = client_auth(qkd);
    const auto client = parse_client_auth(ca, qkd).value();
    EXPECT_EQ(client.signed_part.size(), ca.size() - 2 - 64 - 32);
    EXPECT_EQ(client.up_to_confirm.size(), ca.size() - 32);
    EXPECT_EQ(client.key_id, qkd ? kUuid : "");
    EXPECT_EQ(client.signature.size(), 64U);
    EXPECT_EQ(client.confirm[31], 7);
    EXPECT_FALSE(parse_server_auth(sa, !qkd));
    EXPECT_FALSE(parse_client_auth(ca, !qkd));
  }
  const Message sf = server_finish();
  EXPECT_EQ(parse_server_finish(sf).value().up_to_confirm.size(), sf.size() - 32);
}

// SPEC Appendix B 34.
TEST(Lists, hold_1_to_8_items_without_repeats) {
  const std::vector<std::function<void(ClientHello&, std::size_t, bool)>> fills{
      [](auto& h, std::size_t n, bool repeat) {
        h.versions = {};
        for (std::size_t i = 0; i < n; ++i)
          h.versions.push_back(static_cast<std::uint16_t>(repeat && i == n - 1 ? 0 : i));
      },
      [](auto& h, std::size_t n, bool repeat) {
        h.shares = {};
        for (std::size_t i = 0; i < n; ++i) {
          h.shares.push_back({static_cast<std::uint16_t>(repeat && i == n - 1 ? 0 : i), kOtherShare});
        }
      },
      [](auto& h, std::size_t n, bool repeat) {
        h.signatures = {};
        for (std::size_t i = 0; i < n; ++i)
          h.signatures.push_back(static_cast<std::uint16_t>(repeat && i == n - 1 ? 0 : i));
      },
      [](auto& h, std::size_t n, bool repeat) {
        h.aeads = {};
        for (std::size_t i = 0; i < n; ++i) h.aeads.push_back(static_cast<std::uint16_t>(repeat && i == n - 1 ? 0 : i));
      },
  };
  ClientHello twice = client_hello();
  twice.shares = {};
  for (const Bytes share : {Bytes(kOtherShare), Bytes(kOtherShare).first(1)}) twice.shares.push_back({1, share});
  EXPECT_FALSE(parse_client_hello(encode(twice))) << "of one KEM, though not alike";
  for (std::size_t which = 0; which < fills.size(); ++which) {
    for (std::size_t n = 0; n <= 8; ++n) {
      ClientHello hello = client_hello();
      fills[which](hello, n, false);
      EXPECT_EQ(parse_client_hello(encode(hello)).has_value(), n >= 1) << which << " of " << n;
      if (n < 2) continue;
      fills[which](hello, n, true);
      EXPECT_FALSE(parse_client_hello(encode(hello))) << which << " with a repeat among " << n;
    }
  }
}

/// A list of n distinct codes at `offset`, where `size` bytes of the old one stood.
Message with_codes(Message message, std::size_t offset, std::size_t size, std::uint8_t n) {
  const auto at = message.begin() + static_cast<std::ptrdiff_t>(offset);
  Message list{n};
  for (std::uint8_t i = 0; i < n; ++i) list.insert(list.end(), {0x40, i});
  message.erase(at, at + static_cast<std::ptrdiff_t>(size));
  message.insert(message.begin() + static_cast<std::ptrdiff_t>(offset), list.begin(), list.end());
  mend_length(message);
  return message;
}

/// CLIENT_HELLO with so many application names, the last of which is `last`.
Message with_names(std::uint8_t n, const std::string& last) {
  ClientHello hello = client_hello();
  hello.applications = {};
  Message message = encode(hello);
  Message names{n};
  for (std::uint8_t i = 0; i < n; ++i) {
    const std::string name = i + 1 == n ? last : std::string(1, static_cast<char>('a' + i));
    names.push_back(static_cast<std::uint8_t>(name.size()));
    names.insert(names.end(), name.begin(), name.end());
  }
  message.resize(message.size() - 2);
  for (const std::size_t value : {names.size() + 4, std::size_t{1}, names.size()}) {
    message.push_back(static_cast<std::uint8_t>(value >> 8));
    message.push_back(static_cast<std::uint8_t>(value));
  }
  message.insert(message.end(), names.begin(), names.end());
  mend_length(message);
  return message;
}

// SPEC §5.2, Appendix B 29: names are a list like others.
TEST(Lists, of_application_names_hold_1_to_8_without_repeats) {
  for (std::uint8_t n = 1; n <= 8; ++n) EXPECT_TRUE(parse_client_hello(with_names(n, "last"))) << int{n};
  for (std::uint8_t n = 2; n <= 8; ++n)
    EXPECT_FALSE(parse_client_hello(with_names(n, "a"))) << int{n} << " with a repeat";
  EXPECT_FALSE(parse_client_hello(with_names(0, "")));
  EXPECT_FALSE(parse_client_hello(with_names(9, "last")));
  EXPECT_TRUE(parse_client_hello(with_names(8, std::string(255, 'x'))));
  EXPECT_FALSE(parse_client_hello(with_names(8, "")));
}

/// SPEC §5.1: client_SAE_ID of 1 … 255 bytes, key_ID of exactly 36.
TEST(ClientAuthCodec, names_and_key_id_have_their_bounds) {
  const auto parses = [](std::size_t sae_id, std::size_t key_id) {
    const std::string name(sae_id, 'n'),
        id = std::string(kUuid).substr(0, key_id) + std::string(key_id - std::min<std::size_t>(key_id, 36), '0');
    ClientAuth auth;
    auth.sae_id = name;
    auth.key_id = id;
    Message message = encode_to_signature(auth, true, 64);
    append_signature(message, Message(64, 8));
    message.insert(message.end(), 32, 7);
    return parse_client_auth(message, true).has_value();
  };
  EXPECT_TRUE(parses(1, 36) && parses(255, 36));
  EXPECT_FALSE(parses(0, 36));
  for (const std::size_t size : {std::size_t{0}, std::size_t{35}, std::size_t{37}, std::size_t{255}}) {
    EXPECT_FALSE(parses(9, size)) << size;
  }
}

/// SPEC §5.2: extension 1 in SERVER_AUTH is "exactly one such lp8 name" of 1 … 255 bytes.
TEST(ServerAuthCodec, an_application_of_255_bytes_fits_and_no_second_one) {
  ServerAuth auth;
  auth.signatures.push_back(0x0905);
  const std::string longest(255, 'a');
  auth.application = longest;
  Message message = encode_to_signature(auth, false, 0);
  append_signature(message, {});
  EXPECT_EQ(parse_server_auth(message, false).value().application, longest);
  Message second = encode_to_signature(auth, false, 0);
  second.insert(second.end(), {1, 'b'});
  for (const std::ptrdiff_t length : {2 + 256 + 2 + 2, 2 + 256}) {  // of the block, and of the extension in it
    second[second.size() - static_cast<std::size_t>(length) - 1] += 2;
  }
  append_signature(second, {});
  mend_length(second);
  EXPECT_FALSE(parse_server_auth(second, false));
}

TEST(Lists, of_9_or_255_items_are_refused) {
  const Message hello = encode(client_hello());
  const Message auth = server_auth(false);
  EXPECT_TRUE(parse_client_hello(with_codes(hello, 8, 3, 8)));
  EXPECT_TRUE(parse_server_auth(with_codes(auth, 36, 3, 8), false));
  for (const int n : {0, 9, 255}) {
    EXPECT_FALSE(parse_client_hello(with_codes(hello, 8, 3, static_cast<std::uint8_t>(n)))) << n;
    EXPECT_FALSE(parse_server_auth(with_codes(auth, 36, 3, static_cast<std::uint8_t>(n)), false)) << n;
  }
}

TEST(Fields, out_of_their_bounds_are_refused) {
  ClientHello hello = client_hello();
  for (const int offer : {3, 4, 255}) {
    hello.qkd_offer = static_cast<std::uint8_t>(offer);
    EXPECT_FALSE(parse_client_hello(encode(hello))) << offer;
  }
  ServerHello reply = server_hello();
  for (const int mode : {2, 3, 255}) {
    reply.qkd_mode = static_cast<std::uint8_t>(mode);
    EXPECT_FALSE(parse_server_hello(encode(reply))) << mode;
  }
  Message magic = encode(client_hello());
  magic[4] ^= 0x20;
  EXPECT_FALSE(parse_client_hello(magic));
}

TEST(Fields, names_of_255_bytes_fit_and_empty_ones_do_not) {
  const std::string longest(255, 'n');
  ClientHello hello = client_hello();
  hello.applications = {};
  hello.applications.push_back(as_bytes(longest));
  EXPECT_EQ(parse_client_hello(encode(hello)).value().applications.begin()->size(), 255U);
  ServerAuth auth;
  auth.signatures.push_back(1);
  for (const std::string& name : {std::string(), longest}) {
    auth.sae_id = name;
    Message message = encode_to_signature(auth, true, 0);
    append_signature(message, {});
    EXPECT_EQ(parse_server_auth(message, true).has_value(), !name.empty());
  }
}

// SPEC Appendix B 2.
TEST(AlertCodec, text_is_cut_by_the_writer_and_bounded_by_the_reader) {
  const std::string text(2'000, 't');
  Message message = encode(Alert{Reason::Timeout, text});
  EXPECT_EQ(parse_alert(message).value().text.size(), kMaxCloseText);
  message[7] = static_cast<std::uint8_t>((kMaxCloseText + 1) & 0xff);
  message.push_back('t');
  mend_length(message);
  EXPECT_FALSE(parse_alert(message));
}

/// SPEC §5.8: "An ALERT that says NORMAL, or an unassigned reason, is PROTOCOL_ERROR".
TEST(AlertCodec, neither_normal_nor_an_unassigned_reason_parses) {
  for (int code = 0; code <= 0xffff; ++code) {
    const bool lawful = code != 0 && reason_from_wire(static_cast<std::uint16_t>(code)).has_value();
    EXPECT_EQ(parse_alert(encode(Alert{static_cast<Reason>(code), ""})).has_value(), lawful) << code;
  }
}

/// SPEC §5.1: "each share of any length".
TEST(ClientHelloCodec, a_share_of_any_length_parses) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16'000}}) {
    const Message share(size, 7);
    ClientHello hello = client_hello();
    hello.shares.push_back({0x7a7a, share});
    const Message message = encode(hello);
    const auto read = parse_client_hello(message);
    ASSERT_TRUE(read) << size;
    EXPECT_EQ(read->shares.begin()[2].public_key.size(), size);
  }
}

TEST(ClientAuthCodec, a_key_id_that_is_no_uuid_is_refused) {
  const Message lawful = client_auth(true);
  const auto at = std::ranges::search(lawful, as_bytes(kUuid)).begin() - lawful.begin();
  for (std::size_t i = 0; i < kUuid.size(); ++i) {
    Message message = lawful;
    message[static_cast<std::size_t>(at) + i] = '%';
    EXPECT_FALSE(parse_client_auth(message, true)) << i;
  }
}

}  // namespace
}  // namespace qsp::wire
