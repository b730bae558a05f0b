#include <map>
#include <string>

#include "channel/world.hpp"
#include "constant_time/provider.hpp"
#include "constant_time/watch.hpp"
#include "schedule/schedule.hpp"

namespace qsp::test {
namespace {

/// Both ends of sessions whose random bytes, KEM secrets, QKD keys and data are secret.
class Session : public ConstantTime {
 protected:
  /// Delivers what is on its way and answers who waits for a QKD key, until nothing moves.
  void run(Pair& pair) {
    for (bool moved = true; moved;) {
      moved = false;
      for (const Role role : {Role::Client, Role::Server}) {
        for (const Frame& frame : pair.in_flight(role)) declare_public(Bytes(frame));  // it is on the wire
        while (pair.deliver(role)) moved = true;
        moved = answer(pair, role) || moved;
      }
    }
  }

  bool answer(Pair& pair, Role role) {
    std::size_t& answered = answered_[role];
    if (answered == pair.seen(role).qkd.size()) return false;
    const QkdKeyNeeded& need = pair.seen(role).qkd[answered++];
    DeliveredKey key =
        need.key_id ? DeliveredKey{*need.key_id, *world_.link.dec_keys(*need.key_id)} : world_.link.enc_keys();
    mark_secret(key.key.reveal());
    EXPECT_TRUE(pair.at(role).provide_qkd_key(std::move(key), pair.now()));
    pair.drain(role);
    return true;
  }

  /// Sends data that nobody may know, and looks whether it came.
  void exchange(Pair& pair, Role from) {
    std::string text = "the data of a session " + std::to_string(pair.seen(other(from)).data.size());
    const std::string copy = text;
    mark_secret(std::string_view(text));
    ASSERT_TRUE(pair.send(from, text));
    run(pair);
    ASSERT_FALSE(pair.seen(other(from)).data.empty());
    const Frame& came = pair.seen(other(from)).data.back();
    EXPECT_TRUE(is_secret(came));
    declare_public(Bytes(came));
    EXPECT_EQ(as_text(came), copy);
  }

  World world_{make_secret_provider(1), make_secret_provider(2), QkdPolicy::Required};
  std::map<Role, std::size_t> answered_;
};

TEST_F(Session, from_its_handshake_over_its_epochs_to_its_end) {
  const auto pair = world_.pair();
  run(*pair);
  ASSERT_TRUE(pair->seen(Role::Client).session_id && pair->seen(Role::Server).session_id);
  for (const Role role : {Role::Client, Role::Server}) exchange(*pair, role);
  ASSERT_TRUE(pair->rekey(Role::Server));
  run(*pair);
  ASSERT_TRUE(pair->rekey(Role::Client));
  run(*pair);
  EXPECT_EQ(pair->at(Role::Client).epoch(), 3U);
  EXPECT_EQ(pair->at(Role::Server).epoch(), 3U);
  for (const Role role : {Role::Client, Role::Server}) exchange(*pair, role);
  const auto here = pair->at(Role::Client).export_key("EXPORTER-test", as_bytes("context"), 48, std::nullopt);
  const auto there = pair->at(Role::Server).export_key("EXPORTER-test", as_bytes("context"), 48, std::nullopt);
  ASSERT_TRUE(here && there);
  EXPECT_TRUE(is_secret(here->key.reveal()));
  EXPECT_TRUE(constant_time_equal(here->key.reveal(), there->key.reveal()));
  pair->close(Role::Client, Reason::Normal, "done");
  run(*pair);
  EXPECT_EQ(pair->at(Role::Server).phase(), Phase::Closed);
  EXPECT_EQ(pair->defect(), "");
}

TEST_F(Session, whose_rekeys_are_light) {
  world_.server.rekey.light = true;
  const auto pair = world_.pair();
  run(*pair);
  ASSERT_TRUE(pair->rekey(Role::Server));
  run(*pair);
  EXPECT_EQ(pair->at(Role::Client).epoch(), 2U);
  exchange(*pair, Role::Client);
}

/// The ends do not hold one QKD key, so a confirmation of the handshake is wrong.
TEST_F(Session, whose_ends_do_not_agree) {
  const auto pair = world_.pair();
  for (int i = 0; i < 8; ++i) {
    for (const Role role : {Role::Client, Role::Server}) {
      for (const Frame& frame : pair->in_flight(role)) declare_public(Bytes(frame));  // it is on the wire
      while (pair->deliver(role)) continue;
      if (answered_[role] == pair->seen(role).qkd.size()) continue;
      const QkdKeyNeeded& need = pair->seen(role).qkd[answered_[role]++];
      QkdKey key;
      key.writable()[0] = role == Role::Client ? 1 : 2;
      mark_secret(key.reveal());
      const std::string key_id = need.key_id.value_or("00000000-0000-4000-8000-000000000001");
      EXPECT_TRUE(pair->at(role).provide_qkd_key({key_id, std::move(key)}, pair->now()) || need.key_id);
      pair->drain(role);
    }
  }
  EXPECT_EQ(pair->at(Role::Client).phase(), Phase::Closed);
  EXPECT_EQ(pair->at(Role::Server).phase(), Phase::Closed);
  ASSERT_TRUE(pair->seen(Role::Server).closed);
  EXPECT_FALSE(pair->seen(Role::Server).session_id) << "it was established";
}

/// A frame altered on its way: the tag does not fit, and that is all that anybody learns.
TEST_F(Session, one_of_whose_frames_was_altered) {
  const auto pair = world_.pair();
  run(*pair);
  std::string text(1000, 'x');
  mark_secret(std::string_view(text));
  ASSERT_TRUE(pair->send(Role::Client, text));
  Frame& frame = pair->in_flight(Role::Client).front();
  declare_public(Bytes(frame));  // it is on the wire
  frame.back() ^= 1U;
  pair->deliver(Role::Client);
  ASSERT_TRUE(pair->seen(Role::Server).closed);
  EXPECT_EQ(pair->seen(Role::Server).closed->reason, Reason::AeadDecryptFailed);
}

/// Each stage of the key schedule by itself, and all that it yields is secret.
TEST_F(Session, whose_schedule_mixes_in_kem_secrets_and_qkd_keys) {
  const auto provider = make_secret_provider(3);
  const schedule::Context context{provider->hkdf()};
  SharedSecret shared(64);
  QkdKey first;
  for (const Bytes bytes : {shared.reveal(), first.reveal()}) mark_secret(bytes);
  auto handshake = schedule::HandshakeSecret::derive(context, std::move(shared));
  ASSERT_TRUE(handshake);
  const auto hello_keys = handshake->traffic_keys(context, {});
  ASSERT_TRUE(hello_keys);
  EXPECT_TRUE(is_secret(hello_keys->client.reveal()));
  auto master = std::move(*handshake).master(context, {}, std::move(first));
  ASSERT_TRUE(master);
  const auto confirm = master->client_confirm(context, {});
  ASSERT_TRUE(confirm);
  EXPECT_TRUE(is_secret(*confirm));
  auto epoch = std::move(*master).first_epoch(context, 7, {});
  ASSERT_TRUE(epoch);
  auto keys = std::move(*epoch).keys(context);
  ASSERT_TRUE(keys);
  schedule::RekeyInputs inputs{
      .qkd_key = QkdKey(), .shared_secret = SharedSecret(32), .material = as_bytes("material")};
  mark_secret(inputs.qkd_key->reveal());
  mark_secret(inputs.shared_secret->reveal());
  auto next = std::move(keys->ratchet).next(context, std::move(inputs), 7, {});
  ASSERT_TRUE(next);
  EXPECT_TRUE(is_secret(next->confirm));
  const auto later = std::move(next->secret).keys(context);
  ASSERT_TRUE(later);
  EXPECT_TRUE(is_secret(later->traffic.server.reveal()));
  std::array<std::uint8_t, 32> exported{};
  ASSERT_TRUE(later->exporter.derive(context, "label", as_bytes("context"), exported));
  EXPECT_TRUE(is_secret(exported));
}

}  // namespace
}  // namespace qsp::test
