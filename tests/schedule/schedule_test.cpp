// The formulas of SPEC §3.4, §5.4, §5.5, §6 and §7.2 against values computed by Python's hashlib and hmac from the
// document alone.
#include "schedule/schedule.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include "base/hex.hpp"
#include "qsp/openssl.hpp"

namespace qsp::schedule {
namespace {

/// What the Python program started from: ss = 00 01 … 3f, qkd_key = a0 a1 … bf, material = 55 …, TH(CH, SH) =
/// H("hellos"), th4 = H("th4"), TH(… SF up to confirm) = H("th5"), THr = H("thr").
constexpr std::uint64_t kSessionId = 0x0102'0304'0506'0708;

class Schedule : public testing::Test {
 protected:
  Digest hash(std::string_view text) { return provider->hkdf().hash({as_bytes(text)}).value(); }
  static SharedSecret ss() {
    SharedSecret secret(64);
    for (std::uint8_t i = 0; i < 64; ++i) secret.writable()[i] = i;
    return secret;
  }
  static QkdKey qkd_key() {
    QkdKey key;
    for (std::uint8_t i = 0; i < 32; ++i) key.writable()[i] = static_cast<std::uint8_t>(0xa0 + i);
    return key;
  }
  HandshakeSecret handshake() { return HandshakeSecret::derive(context, ss()).value(); }
  MasterSecret master(bool qkd) {
    std::optional<QkdKey> key;
    if (qkd) key = qkd_key();
    return handshake().master(context, hash("th4"), std::move(key)).value();
  }
  EpochKeys first(bool qkd) {
    return master(qkd).first_epoch(context, kSessionId, hash("th4")).value().keys(context).value();
  }

  std::unique_ptr<crypto::Provider> provider = crypto::make_openssl_provider().value();
  Context context{provider->hkdf()};
};

TEST_F(Schedule, the_transcript_hash_starts_with_the_protocols_name_and_joins_messages) {
  constexpr std::string_view kExpected = "3952041ec08d82dff710cb4e517dce3c79b29a06a6dc1c2646d00a330d5de7d7";
  EXPECT_EQ(to_hex(transcript_hash(provider->hkdf(), {as_bytes("one"), as_bytes("two")}).value()), kExpected);
  EXPECT_EQ(to_hex(transcript_hash(provider->hkdf(), {as_bytes("onetwo")}).value()), kExpected);
}

TEST_F(Schedule, handshake_keys_are_the_specifications) {
  const auto keys = handshake().traffic_keys(context, hash("hellos")).value();
  EXPECT_EQ(to_hex(keys.client.reveal()), "19ef462bdc791f92a3b469e3dc3c50e4c5e6d6b1e1a86a3da0fa4361468779db");
  EXPECT_EQ(to_hex(keys.server.reveal()), "0109233c7d86b61a78c4ad363f9ca7d89a1e1f9e90a4a6b4ce6625fdca0bc437");
}

TEST_F(Schedule, confirms_are_the_specifications_in_both_modes) {
  const std::array<std::array<std::string_view, 2>, 2> expected{
      {{"378dd501c4e9bf23548ecbb0267a13d5d5aa44bdf1253ce55051bbf35201c008",
        "4ebae93cda02df804d92f3fb17b887c33cf532d25e984c28283b068ba77d4672"},
       {"f02568c4ba229f49130446b763f9f97efb1ee104e2a6bf1105f9307cb610e8a3",
        "f42129ced8028a779b58c2df2549c9dc2dfc79fdc0e35568daa625bc1870591f"}}};
  for (const bool qkd : {false, true}) {
    const MasterSecret secret = master(qkd);
    EXPECT_EQ(to_hex(secret.client_confirm(context, hash("th4")).value()), expected[qkd ? 1 : 0][0]);
    EXPECT_EQ(to_hex(secret.server_confirm(context, hash("th4"), hash("th5")).value()), expected[qkd ? 1 : 0][1]);
  }
}

TEST_F(Schedule, traffic_keys_and_exports_of_epoch_1_are_the_specifications_in_both_modes) {
  const std::array<std::array<std::string_view, 3>, 2> expected{
      {{"358c796bdeff561ff745ac1d3588b35e5bae3ed6267dae7f51897c7590d30aeb",
        "07622b7aa338d9632d977da90a5fb291892ff9aaaa8bc039ce83c3080623e902",
        "76b6f7b74e64756bb0c00e060f1a0801f980a7290e5345e3d818d0ae8e9776d76461241b80ee0b0eb55815ddc7694d03"},
       {"4b24045aa526fa634d5893d7309d8a2b4b113a66d4dbc8327dff0422e19bb3a8",
        "d1c7dbb3335abbabaff60b8fc7a841ef767743483615a00f59988fb87c934ad7",
        "abef9a6c3f5639e09e712b10963af642337ccb3c786b08acbde0132cb8798c1f7f79b46c522cfbc484340ca7d242de07"}}};
  for (const bool qkd : {false, true}) {
    const EpochKeys keys = first(qkd);
    std::array<std::uint8_t, 48> exported{};
    ASSERT_TRUE(keys.exporter.derive(context, "l", as_bytes("ctx"), exported));
    EXPECT_EQ(to_hex(keys.traffic.client.reveal()), expected[qkd ? 1 : 0][0]);
    EXPECT_EQ(to_hex(keys.traffic.server.reveal()), expected[qkd ? 1 : 0][1]);
    EXPECT_EQ(to_hex(exported), expected[qkd ? 1 : 0][2]);
  }
}

TEST_F(Schedule, every_form_of_rekey_is_the_specifications) {
  struct Row {
    bool mode1, key, kem;
    std::string_view confirm, client_key;
  };
  const std::array<Row, 6> rows{{
      {true, false, false, "c923e3ee9f4a96f9137a3febe9eba32598a137af84be70cee3a3204a25ee2006",
       "7738e813b2d41a81b7797bb915754da14a9f05bbaeef1f3196f56712cf11d389"},
      {true, false, true, "71543439b3779c474b0d45d02aa798a69942ec0c3d91651afe760dbad2c663a1",
       "fa436475bf050c56a04d8c2ee638d69470516b38a47fd0a5959668b1dd89d89b"},
      {true, true, true, "cf894232220d5f29552815400271cdae0f5fe6b522e1ec6b396852ebac4cac88",
       "e11fe13f0717e52e943971a4a2e21d2f022490de75332d005e1794061a73b3b0"},
      {true, true, false, "d9f3dfae9560999c835159203549b4eaad8d24312774267a63221783f099a344",
       "eda3cd5f08108d9f09d61e372c6db7a912b35a9f7ee06777697aa580c8cfdd6e"},
      {false, false, false, "477c61fda11915a1c0e0763147ad48a0b95958d61109b78fc9127864cb0bc39e",
       "bd68001dbd36989a7a49f88210ecccd8a2d415d42116d00c82d4c00ed359c2f3"},
      {false, false, true, "9ce94f5086032a439c731b15cc0c2f3c89cc50bc4c0b16c7312a162a52db6b0a",
       "36c154e7d6317e5d70ff5f063a7e7977b53d5095494fa6674c87486c142b8354"},
  }};
  std::array<std::uint8_t, 32> material{};
  material.fill(0x55);
  for (const Row& row : rows) {
    RekeyInputs inputs{.qkd_key = std::nullopt, .shared_secret = std::nullopt, .material = material};
    if (row.key) inputs.qkd_key = qkd_key();
    if (row.kem) inputs.shared_secret = ss();
    auto next = first(row.mode1).ratchet.next(context, std::move(inputs), kSessionId, hash("thr")).value();
    EXPECT_EQ(to_hex(next.confirm), row.confirm);
    EXPECT_EQ(next.secret.epoch(), 2U);
    EXPECT_EQ(to_hex(std::move(next.secret).keys(context).value().traffic.client.reveal()), row.client_key);
  }
}

/// Collects names; no two secrets of one epoch may be alike.
class Log final : public DangerousKeyLog {
 public:
  void secret(std::string_view name, std::uint32_t epoch, Bytes value) override {
    values[to_hex(value)] += std::string(name) + " " + std::to_string(epoch) + ", ";
    ++count;
  }
  std::map<std::string, std::string> values;
  std::size_t count = 0;
};

TEST_F(Schedule, no_two_secrets_are_alike) {
  Log log;
  context.log = &log;
  const HandshakeSecret secret = handshake();
  ASSERT_TRUE(secret.traffic_keys(context, hash("hellos")));
  const MasterSecret mastered = master(true);
  ASSERT_TRUE(mastered.client_confirm(context, hash("th4")));
  ASSERT_TRUE(mastered.server_confirm(context, hash("th4"), hash("th5")));
  log.values.clear();  // `handshake` was derived twice
  log.count = 0;
  static_cast<void>(first(true));
  for (const auto& [value, names] : log.values) EXPECT_EQ(names.find(','), names.size() - 2) << names;
  EXPECT_EQ(log.values.size(), log.count);
}

}  // namespace
}  // namespace qsp::schedule
