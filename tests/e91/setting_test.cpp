#include "e91/setting.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "e91/seed_of.hpp"
#include "qsp/openssl.hpp"

namespace qsp::e91 {
namespace {

class SettingsTest : public testing::Test {
 protected:
  std::unique_ptr<crypto::Provider> provider_ = crypto::make_openssl_provider().value();
};

TEST_F(SettingsTest, are_the_same_in_any_order) {
  const Weights choice = weights(Mode::Biased, Side::Bob, 0.9);
  auto upwards = Settings::create(*provider_, seed_of(1), choice).value();
  auto jumping = Settings::create(*provider_, seed_of(1), choice).value();
  std::vector<std::uint8_t> seen;
  for (std::uint64_t slot = 0; slot < 5000; ++slot) seen.push_back(upwards.at(slot));
  for (std::uint64_t slot = 5000; slot-- > 0;) ASSERT_EQ(jumping.at(slot), seen[slot]) << slot;
}

TEST_F(SettingsTest, come_as_often_as_their_weights) {
  constexpr std::uint64_t kSlots = 1'000'000;
  for (const Mode mode : {Mode::Biased, Mode::Classic}) {
    for (const Side side : {Side::Alice, Side::Bob}) {
      const Weights choice = weights(mode, side, 0.9);
      auto settings = Settings::create(*provider_, seed_of(7), choice).value();
      std::array<std::uint64_t, kMaxSettings> seen{};
      for (std::uint64_t slot = 0; slot < kSlots; ++slot) ++seen.at(settings.at(slot));
      for (std::size_t i = 0; i < kMaxSettings; ++i) {
        const double p = choice.at(i) / 65536.0;
        EXPECT_NEAR(static_cast<double>(seen.at(i)), p * kSlots, 5 * std::sqrt(kSlots * p * (1 - p)) + 0.5);
      }
    }
  }
}

TEST_F(SettingsTest, are_never_one_without_weight) {
  const auto seen = [&](Weights choice) {
    std::array<bool, kMaxSettings> found{};
    auto settings = Settings::create(*provider_, seed_of(3), choice).value();
    for (std::uint64_t slot = 0; slot < 300'000; ++slot) found.at(settings.at(slot)) = true;
    return found;
  };
  using Found = std::array<bool, kMaxSettings>;
  EXPECT_EQ(seen({65536, 0, 0, 0}), (Found{true, false, false, false}));
  EXPECT_EQ(seen({0, 65536, 0, 0}), (Found{false, true, false, false}));
  EXPECT_EQ(seen({0, 0, 65535, 1}), (Found{false, false, true, true}));
  EXPECT_EQ(seen({1, 0, 0, 65535}), (Found{true, false, false, true}));
}

TEST_F(SettingsTest, of_another_seed_are_others) {
  const Weights choice = weights(Mode::Classic, Side::Alice, 0);
  auto one = Settings::create(*provider_, seed_of(1), choice).value();
  auto two = Settings::create(*provider_, seed_of(2), choice).value();
  std::size_t equal = 0;
  for (std::uint64_t slot = 0; slot < 9000; ++slot) equal += one.at(slot) == two.at(slot) ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(equal), 3000, 250);
}

/// NIST's definition of GCM says what the counter starts from; the AEAD itself is the oracle.
TEST_F(SettingsTest, a_keystream_is_what_sealing_zeros_gives) {
  const auto stream = make_keystream(*provider_, TrafficKey::copy_of(seed_of(9).reveal())).value();
  const auto aead = provider_->aead(crypto::AeadId::Aes256Gcm).value();
  ASSERT_TRUE(aead->set_key(TrafficKey::copy_of(seed_of(9).reveal())));
  for (std::uint8_t i = 0; i < 5; ++i) {
    const crypto::Nonce nonce{i, 2, 3, 0xff};
    std::vector<std::uint8_t> read(4099, 1);
    std::vector<std::uint8_t> sealed(4099, 0);
    std::array<std::uint8_t, crypto::kTagSize> tag{};
    ASSERT_TRUE(stream->read(nonce, read));
    ASSERT_TRUE(aead->seal(nonce, {}, sealed, tag));
    EXPECT_EQ(read, sealed);
  }
}

TEST_F(SettingsTest, random_stream_repeats_from_a_seed_only) {
  auto one = RandomStream::create(*provider_, seed_of(1)).value();
  auto two = RandomStream::create(*provider_, seed_of(1)).value();
  auto drawn = RandomStream::create(*provider_, provider_->rng()).value();
  bool all_equal = true;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t word = one.next();
    ASSERT_EQ(word, two.next());
    all_equal = all_equal && word == drawn.next();
  }
  EXPECT_FALSE(all_equal);
  EXPECT_TRUE(one.healthy());
}

}  // namespace
}  // namespace qsp::e91
