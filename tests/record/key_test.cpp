#include "record/key.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace qsp::record {
namespace {

using Buffer = std::vector<std::uint8_t>;

/// What an AEAD was last given, and whether it shall fail.
struct Witness {
  Buffer key, aad;
  crypto::Nonce nonce{};
  bool fails = false;

  [[nodiscard]] Result<void> answer() const {
    if (fails) return fail(ErrorKind::DecryptFailed, Reason::AeadDecryptFailed, "dictated");
    return {};
  }
};

class WitnessedAead final : public crypto::Aead {
 public:
  explicit WitnessedAead(Witness& witness) : witness_(witness) {}
  Result<void> set_key(TrafficKey&& key) override {
    const TrafficKey taken = std::move(key);
    witness_.key.assign(taken.reveal().begin(), taken.reveal().end());
    return witness_.answer();
  }
  Result<void> seal(const crypto::Nonce& nonce, Bytes aad, MutableBytes,
                    std::span<std::uint8_t, crypto::kTagSize>) override {
    return note(nonce, aad);
  }
  Result<void> open(const crypto::Nonce& nonce, Bytes aad, MutableBytes,
                    std::span<const std::uint8_t, crypto::kTagSize>) override {
    return note(nonce, aad);
  }

 private:
  Result<void> note(const crypto::Nonce& nonce, Bytes aad) {
    witness_.nonce = nonce;
    witness_.aad.assign(aad.begin(), aad.end());
    return witness_.answer();
  }
  Witness& witness_;
};

TrafficKey key_of(std::uint8_t value) { return TrafficKey::copy_of(Buffer(32, value)); }

class KeyTest : public testing::Test {
 protected:
  KeyTest() {
    crypto::AeadInfo info = crypto::info(crypto::AeadId::Aes256Gcm);
    info.max_frames = 3;
    info.max_bytes = 100;
    key.set_aead(std::make_unique<WitnessedAead>(witness), info);
  }
  Result<void> seal(std::uint64_t n, std::uint64_t counted) { return key.seal(n, aad, data, tag, counted); }
  Result<void> open(std::uint64_t n, std::uint64_t counted) { return key.open(n, aad, data, tag, counted); }

  Witness witness;
  Key key;
  Buffer aad{1, 2, 3}, data = Buffer(8);
  std::array<std::uint8_t, crypto::kTagSize> tag{};
};

TEST(Nonce, is_the_epoch_and_the_full_count) {
  EXPECT_EQ(nonce_of(0x0a0b0c0d, 0x1122'3344'5566'7788),
            (crypto::Nonce{0x0a, 0x0b, 0x0c, 0x0d, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}));
}

TEST(AadView, is_the_label_and_the_header) {
  Buffer header(wire::kFrameHeaderSize);
  for (std::size_t i = 0; i < header.size(); ++i) header[i] = static_cast<std::uint8_t>(i);
  const std::map<std::string_view, Label> labels{{"hs", Label("hs")}, {"close", Label("close")}};
  for (const auto& [text, label] : labels) {
    Buffer expected(text.begin(), text.end());
    expected.insert(expected.end(), header.begin(), header.end());
    Aad aad(label);
    std::ranges::copy(header, aad.header().begin());
    EXPECT_TRUE(std::ranges::equal(aad.view(), expected)) << text;
  }
}

TEST_F(KeyTest, is_ready_from_its_first_set_until_it_is_forgotten) {
  EXPECT_FALSE(key.ready());
  EXPECT_EQ(key.epoch(), 0U);
  ASSERT_TRUE(key.set(7, key_of(9)));
  EXPECT_TRUE(key.ready());
  EXPECT_EQ(key.epoch(), 7U);
  EXPECT_EQ(witness.key, Buffer(32, 9));
  ASSERT_TRUE(key.forget());
  EXPECT_FALSE(key.ready());
  EXPECT_EQ(witness.key, Buffer(32, 0)) << "the AEAD keeps the key";
}

TEST_F(KeyTest, is_not_ready_where_the_aead_refused_it) {
  ASSERT_TRUE(key.set(1, key_of(1)));
  witness.fails = true;
  EXPECT_FALSE(key.set(2, key_of(2)));
  EXPECT_FALSE(key.ready());
}

TEST_F(KeyTest, seals_and_opens_under_its_epoch_and_the_given_n) {
  ASSERT_TRUE(key.set(5, key_of(1)));
  ASSERT_TRUE(seal(6, 8));
  EXPECT_EQ(witness.nonce, nonce_of(5, 6));
  EXPECT_EQ(witness.aad, aad);
  // Any order: which n may come is for the form of the record to say.
  ASSERT_TRUE(open(4, 8));
  EXPECT_EQ(witness.nonce, nonce_of(5, 4));
}

TEST_F(KeyTest, counts_what_was_sealed_even_in_vain_and_what_was_opened_if_it_was_genuine) {
  ASSERT_TRUE(key.set(1, key_of(1)));
  ASSERT_TRUE(seal(0, 8));
  witness.fails = true;
  EXPECT_FALSE(seal(1, 8));
  EXPECT_EQ(key.usage(), (Usage{.frames = 2, .bytes = 16}));
  EXPECT_FALSE(open(2, 8));
  EXPECT_EQ(key.usage(), (Usage{.frames = 2, .bytes = 16}));
  witness.fails = false;
  ASSERT_TRUE(open(2, 0));
  EXPECT_EQ(key.usage(), (Usage{.frames = 3, .bytes = 16}));
}

TEST_F(KeyTest, has_room_up_to_its_hard_limits_and_the_next_key_has_all_of_it) {
  ASSERT_TRUE(key.set(1, key_of(1)));
  EXPECT_TRUE(key.has_room({.frames = 3, .bytes = 100}));
  EXPECT_FALSE(key.has_room({.frames = 4, .bytes = 0}));
  EXPECT_FALSE(key.has_room({.frames = 1, .bytes = 101}));
  ASSERT_TRUE(seal(0, 60));
  EXPECT_TRUE(key.has_room({.frames = 2, .bytes = 40}));
  EXPECT_FALSE(key.has_room({.frames = 3, .bytes = 0}));
  EXPECT_FALSE(key.has_room({.frames = 1, .bytes = 41}));
  ASSERT_TRUE(key.set(2, key_of(2)));
  EXPECT_EQ(key.usage(), Usage{});
  EXPECT_TRUE(key.has_room({.frames = 3, .bytes = 100}));
}

}  // namespace
}  // namespace qsp::record
