// What has to be drawn afresh, and how long what was drawn lives (SPEC §3.1, §3.4, §5.3, §5.6, §7.2).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/big_endian.hpp"
#include "channel/kmes.hpp"
#include "channel/malicious.hpp"
#include "channel/stage.hpp"
#include "channel/traffic.hpp"
#include "crypto/other_rng.hpp"
#include "support/fake_provider.hpp"

namespace qsp::test {
namespace {

/// Private keys of KEMs that are alive, over all providers.
int private_keys = 0;

class CountedKey final : public crypto::KemPrivateKey {
 public:
  explicit CountedKey(std::unique_ptr<crypto::KemPrivateKey> inner) : inner_(std::move(inner)) { ++private_keys; }
  CountedKey(const CountedKey&) = delete;
  CountedKey& operator=(const CountedKey&) = delete;
  ~CountedKey() override { --private_keys; }
  [[nodiscard]] Bytes public_key() const noexcept override { return inner_->public_key(); }
  Result<SharedSecret> decapsulate(Bytes ciphertext) override { return inner_->decapsulate(ciphertext); }

 private:
  std::unique_ptr<crypto::KemPrivateKey> inner_;
};

class CountedKem final : public crypto::Kem {
 public:
  explicit CountedKem(const crypto::Kem& inner) : inner_(inner) {}
  [[nodiscard]] crypto::KemId id() const noexcept override { return inner_.id(); }
  Result<std::unique_ptr<crypto::KemPrivateKey>> generate(crypto::Rng& rng) const override {
    auto made = inner_.generate(rng);
    if (!made) return made;
    return std::make_unique<CountedKey>(std::move(*made));
  }
  Result<crypto::Encapsulation> encapsulate(Bytes public_key, crypto::Rng& rng) const override {
    return inner_.encapsulate(public_key, rng);
  }

 private:
  const crypto::Kem& inner_;
};

/// Notes what was drawn.
class NotedRng final : public crypto::Rng {
 public:
  explicit NotedRng(crypto::Rng& inner) : inner_(inner) {}
  /// The next so many draws of this size yield zeros.
  void yield_zeros(std::size_t size, int draws) noexcept { zero_size_ = size, zero_draws_ = draws; }
  Result<void> fill(MutableBytes out) override {
    const auto done = inner_.fill(out);
    if (out.size() == zero_size_ && zero_draws_ > 0) {
      --zero_draws_;
      std::ranges::fill(out, std::uint8_t{0});
    }
    drawn.emplace_back(out.begin(), out.end());
    return done;
  }
  [[nodiscard]] bool drew(Bytes bytes) const {
    return std::ranges::any_of(drawn, [&](const Message& draw) { return std::ranges::equal(draw, bytes); });
  }
  [[nodiscard]] int zeros_left() const noexcept { return zero_draws_; }
  std::vector<Message> drawn;

 private:
  crypto::Rng& inner_;
  std::size_t zero_size_ = 0;
  int zero_draws_ = 0;
};

/// Made before the provider that refers to it.
struct Fake {
  std::unique_ptr<crypto::Provider> fake;
};

/// A fake provider whose draws and private keys are counted.
class Watched final : private Fake, public crypto::OtherRngProvider {
 public:
  explicit Watched(std::uint64_t seed) : Fake{make_fake_provider(seed)}, OtherRngProvider(*fake), rng_(fake->rng()) {}
  [[nodiscard]] NotedRng& noted() noexcept { return rng_; }

  [[nodiscard]] crypto::Rng& rng() noexcept override { return rng_; }
  Result<const crypto::Kem*> kem(crypto::KemId id) override {
    const auto found = fake->kem(id);
    if (!found) return found;
    kems_.push_back(std::make_unique<CountedKem>(**found));
    return kems_.back().get();
  }

 private:
  NotedRng rng_;
  std::vector<std::unique_ptr<crypto::Kem>> kems_;
};

struct WatchedWorld {
  WatchedWorld() {
    auto made = std::make_unique<Watched>(1);
    auto other_made = std::make_unique<Watched>(2);
    client = &made->noted();
    server = &other_made->noted();
    world = std::make_unique<World>(std::move(made), std::move(other_made));
  }
  NotedRng *client = nullptr, *server = nullptr;
  std::unique_ptr<World> world;
};

wire::ClientHello hello_of(const Pair& pair) {
  return wire::parse_client_hello(Bytes(pair.made(Role::Client).front()).subspan(wire::kFrameHeaderSize)).value();
}
wire::ServerHello answer_of(const Pair& pair) {
  return wire::parse_server_hello(Bytes(pair.made(Role::Server).front()).subspan(wire::kFrameHeaderSize)).value();
}

/// SPEC §3.4: "Randomness (nonces, session_id, material, keys, hedges) MUST come from a cryptographically secure
/// generator", §3.1: "Key shares MUST be fresh for every handshake, every redial and every INIT".
/// SPEC Appendix B 36.
TEST(Randomness, of_nonces_session_id_shares_and_material_comes_from_the_generator_and_never_twice) {
  WatchedWorld watched;
  std::set<Message> seen;
  const auto expect_fresh = [&](Bytes bytes) { EXPECT_TRUE(seen.insert(Message(bytes.begin(), bytes.end())).second); };
  for (int dial = 0; dial < 3; ++dial) {
    Insider insider(*watched.world->client_provider);
    const auto pair = established_with_log(*watched.world, insider);
    const auto hello = hello_of(*pair);
    const auto answer = answer_of(*pair);
    EXPECT_TRUE(watched.client->drew(hello.nonce)) << "client_nonce";
    EXPECT_TRUE(watched.server->drew(answer.nonce)) << "server_nonce";
    const auto session_id = big_endian<8>(answer.session_id);
    EXPECT_TRUE(watched.server->drew(session_id)) << "session_id";
    for (const Bytes bytes : {Bytes(hello.nonce), Bytes(answer.nonce), Bytes(session_id), answer.kem_ciphertext}) {
      expect_fresh(bytes);
    }
    for (const wire::KemShare& share : hello.shares) expect_fresh(share.public_key);
    for (int rekey = 0; rekey < 2; ++rekey) {
      ASSERT_TRUE(pair->rekey(Role::Server));
      const Frame frame = pair->in_flight(Role::Server).front();
      const auto plaintext = insider.open(Role::Server, frame, pair->made(Role::Server).size() - 1);
      ASSERT_TRUE(plaintext);
      const auto message = wire::parse_rekey(*plaintext).value();
      const auto& init = std::get<wire::RekeyInit>(message);
      EXPECT_TRUE(watched.server->drew(init.material)) << "material";
      expect_fresh(init.material);
      expect_fresh(init.kem_public_key);
      pair->run();
    }
  }
}

/// SPEC §5.3: "session_id is drawn by the server, never 0."
TEST(Randomness, a_session_id_of_zero_is_drawn_again) {
  WatchedWorld watched;
  watched.server->yield_zeros(sizeof(std::uint64_t), 3);
  const auto pair = watched.world->established();
  EXPECT_EQ(watched.server->zeros_left(), 0);
  ASSERT_TRUE(pair->seen(Role::Client).session_id);
  EXPECT_NE(*pair->seen(Role::Client).session_id, 0U);
}

TEST(Randomness, a_generator_that_yields_zeros_again_and_again_serves_nobody) {
  WatchedWorld watched;
  watched.server->yield_zeros(sizeof(std::uint64_t), 1'000);
  const auto pair = watched.world->established();
  ASSERT_TRUE(pair->seen(Role::Server).closed);
  EXPECT_EQ(pair->seen(Role::Server).closed->reason, Reason::InternalError);
  EXPECT_FALSE(pair->seen(Role::Client).session_id);
}

/// SPEC §5.6: at SERVER_HELLO "wipe all KEM private keys"; §7.4: "Wiped at commit: … the KEM private key".
/// SPEC §5.10.
TEST(PrivateKeys, of_the_kem_live_until_server_hello_or_ack_and_no_longer) {
  private_keys = 0;
  WatchedWorld watched;
  watched.world->client.kems = {crypto::KemId::MlKem1024, crypto::KemId::X25519MlKem768};
  const auto pair = watched.world->pair();
  EXPECT_EQ(private_keys, 2);
  ASSERT_TRUE(pair->deliver(Role::Client));
  EXPECT_EQ(private_keys, 2);
  ASSERT_TRUE(pair->deliver(Role::Server)) << "SERVER_HELLO";
  EXPECT_EQ(private_keys, 0) << "all of them, the one that was not chosen too";
  pair->run();
  ASSERT_EQ(pair->at(Role::Client).epoch(), 1U);
  ASSERT_TRUE(pair->rekey(Role::Server));
  EXPECT_EQ(private_keys, 1);
  pair->run();
  ASSERT_EQ(pair->at(Role::Server).epoch(), 2U);
  EXPECT_EQ(private_keys, 0);
}

/// SPEC §5.10: "On any failure it MUST wipe all secrets of the session".
TEST(PrivateKeys, of_the_kem_die_with_a_session_that_fails) {
  private_keys = 0;
  WatchedWorld watched;
  const auto dialled = watched.world->pair();
  EXPECT_EQ(private_keys, 1);
  dialled->end_of_stream(Role::Server);
  EXPECT_EQ(private_keys, 0);
  const auto pair = watched.world->established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  EXPECT_EQ(private_keys, 1);
  pair->end_of_stream(Role::Client);
  EXPECT_EQ(private_keys, 0);
}

/// SPEC §7.3: at a NAK "wipe this rekey's keys".
TEST(PrivateKeys, of_the_kem_die_at_a_nak) {
  private_keys = 0;
  auto made = std::make_unique<Watched>(2);
  World world(make_fake_provider(1), std::move(made), QkdPolicy::Required);
  const auto pair = world.established();
  Kmes kmes(world, *pair);
  kmes.take_down(Role::Client);
  ASSERT_TRUE(pair->rekey(Role::Server));
  ASSERT_TRUE(world.answer(*pair, Role::Server));
  EXPECT_EQ(private_keys, 1);
  kmes.settle();
  EXPECT_EQ(private_keys, 0);
  EXPECT_EQ(pair->at(Role::Server).epoch(), 1U);
}

}  // namespace
}  // namespace qsp::test
