// Every byte of a small session, computed with another implementation: Python's hashlib and hmac for the key schedule,
// and the `cryptography` package's AESGCM for the sealed frames. With
//
//   H = SHA-256, HKDF(ikm, salt, info) = RFC 5869 over SHA-256 with L = 32,
//   CN = 00 01 … 1f, SN = 80 81 … 9f, session_id = 0x0102030405060708, material = 40 41 … 5f:
//
//   ikm     = HKDF(H("QSP153" ‖ CN ‖ SN), H("QSP153-salt"), "qsp-stage153-handshake-ikm")
//   K[1]    = HKDF(ikm, "QSP-Stage155", "QSP session key epoch1")
//   K[e]    = HKDF(K[e-1], "QSP155|" ‖ session_id u64 ‖ e u32, "rekey|" ‖ material)
//   confirm = H(material ‖ "ack")
//   payload = nonce ‖ AESGCM(K[epoch]).encrypt(nonce, plaintext, aad), nonce = epoch u32 ‖ seq u64

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "base/hex.hpp"
#include "fixture.hpp"
#include "qsp/openssl.hpp"
#include "support/scripted.hpp"

namespace qsp::rc155 {
namespace {

std::vector<std::uint8_t> unhex(std::string_view text) { return from_hex(text).value(); }

std::vector<std::uint8_t> counting(std::uint8_t first, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

constexpr std::uint64_t kSessionId = 0x0102030405060708;
constexpr std::string_view kClientNonce = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kServerNonce = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
constexpr std::string_view kKey1 = "77f1c6dce5dbdfacf177f9476bf201aff25a2fc9aefe3ce25f84c2254276d08d";
constexpr std::string_view kKey2 = "1f42d49efffdfd38aa3fc0a6779c23399c8aa41bcb14e907526829b336b0d1a8";
constexpr std::string_view kKey3 = "47b3385592ebf3c9487ecbefe7a053bfe53dab4c138f60a47a15461affaef3ee";
constexpr std::string_view kConfirm = "6a8df16646b3ad55e241accc73f09f83109d25703d5d727f38ae3810d7ca2ad8";

constexpr std::string_view kClientData =
    "02000102030405060708000000010000000100000021000000010000000000000001aaa14645f2c96ec6b9638c5b19dfd0d4c8b125cb89";
constexpr std::string_view kServerData =
    "02000102030405060708000000010000000100000021000000010000000000000001b5ab5845f905051e745983569a10221d89be31530c";
constexpr std::string_view kInit =
    "03000102030405060708000000010000000200000045000000010000000000000002f733bdf070e4e10bc858e954333e8da59246f8b24fc2f0"
    "9c0cf7702082acec7c0b74fcbc11a0532fd8a8260a92e754b4a40a6d3e2e7582bab8";
constexpr std::string_view kAck =
    "03000102030405060708000000010000000200000045000000010000000000000002f733bdf073e4e10bc87225e7163c7b4e80ecf054c8fd4d"
    "4dc0b7bc57a1c5e45823140bde5a2bc45b5f8b3eee35637032549893c54696cdba74";
constexpr std::string_view kServerDataEpoch2 =
    "0200010203040506070800000002000000030000002500000002000000000000000301b4e98b41348c980ccf45f2be8dc28c96cda253c1bd67"
    "e3f3";
constexpr std::string_view kClose =
    "040001020304050607080000000200000003000000210000000200000000000000036fd1fcd2417df67e12a8bd2682fe75ba252809594c";

class Vectors : public testing::Test {
 protected:
  void SetUp() override {
    auto made = crypto::make_openssl_provider();
    ASSERT_TRUE(made) << made.error().where;
    provider_ = std::move(*made);
  }

  std::unique_ptr<crypto::Provider> provider_;
};

TEST_F(Vectors, key_schedule_is_stage155s) {
  HelloNonce client{}, server{};
  std::ranges::copy(unhex(kClientNonce), client.begin());
  std::ranges::copy(unhex(kServerNonce), server.begin());
  const auto key1 = first_key(provider_->hkdf(), client, server);
  ASSERT_TRUE(key1);
  EXPECT_TRUE(constant_time_equal(key1->reveal(), unhex(kKey1)));

  const auto material = counting(0x40, 32);
  const auto key2 = next_key(provider_->hkdf(), *key1, kSessionId, 2, material);
  ASSERT_TRUE(key2);
  EXPECT_TRUE(constant_time_equal(key2->reveal(), unhex(kKey2)));
  const auto key3 = next_key(provider_->hkdf(), *key2, kSessionId, 3, material);
  ASSERT_TRUE(key3);
  EXPECT_TRUE(constant_time_equal(key3->reveal(), unhex(kKey3)));

  const auto confirmed = confirm(provider_->hkdf(), material);
  ASSERT_TRUE(confirmed);
  EXPECT_TRUE(constant_time_equal(*confirmed, unhex(kConfirm)));
}

TEST_F(Vectors, every_frame_of_a_session_is_byte_exact) {
  std::vector<std::uint8_t> script = unhex(kClientNonce);
  const auto extend = [&](const std::vector<std::uint8_t>& more) {
    script.insert(script.end(), more.begin(), more.end());
  };
  extend(unhex(kServerNonce));
  extend(counting(1, 8));  // session_id
  extend(counting(0x40, 32));
  test::ScriptedRng rng(script);
  test::ScriptedProvider provider(*provider_);
  provider.use_rng(rng);

  Pair pair(make(Role::Client, provider), make(Role::Server, provider));
  pair.run();
  ASSERT_TRUE(pair.send(Role::Client, "hello"));
  ASSERT_TRUE(pair.send(Role::Server, "world"));
  ASSERT_TRUE(pair.rekey(Role::Server));
  pair.run();
  ASSERT_TRUE(pair.send(Role::Server, "new epoch"));
  pair.run();
  pair.close(Role::Client, Reason::Normal, "bye");
  pair.run();
  EXPECT_EQ(rng.left(), 0U);

  const auto hex_frame = [](std::string_view header, std::string_view payload) {
    std::string text(header);
    return unhex(text.append(payload));
  };
  const std::vector<Frame> client = {hex_frame("01000000000000000000000000000000000000000024"
                                               "43484c4f",
                                               kClientNonce),
                                     unhex(kClientData), unhex(kAck), unhex(kClose)};
  const std::vector<Frame> server = {hex_frame("0100010203040506070800000000000000000000002c"
                                               "53484c4f",
                                               std::string(kServerNonce) + "0102030405060708"),
                                     unhex(kServerData), unhex(kInit), unhex(kServerDataEpoch2)};
  EXPECT_EQ(pair.made(Role::Client), client);
  EXPECT_EQ(pair.made(Role::Server), server);
  EXPECT_EQ(as_text(pair.seen(Role::Client).data.at(1)), "new epoch");
  EXPECT_EQ(pair.seen(Role::Server).closed->text, "bye");
}

}  // namespace
}  // namespace qsp::rc155
