#include "record/stream/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <vector>

#include "record/access.hpp"
#include "support/fake_provider.hpp"

namespace qsp::record::stream {
namespace {

using wire::FrameType;
using wire::kFrameHeaderSize;
using Frame = std::vector<std::uint8_t>;
constexpr std::uint64_t kSession = 0xa1a2'a3a4'a5a6'a7a8;

/// An AEAD that writes down what it is given.
class Witness final : public crypto::Aead {
 public:
  struct Call {
    crypto::Nonce nonce;
    Frame aad;
    std::size_t size;
    std::uint8_t key;
  };
  Witness(std::unique_ptr<crypto::Aead> inner, std::vector<Call>& calls) : inner_(std::move(inner)), calls_(calls) {}
  /// The first byte of the key that it has.
  [[nodiscard]] std::uint8_t key() const noexcept { return key_; }
  Result<void> set_key(TrafficKey&& key) override {
    key_ = key.reveal()[0];
    return inner_->set_key(std::move(key));
  }
  Result<void> seal(const crypto::Nonce& nonce, Bytes aad, MutableBytes data,
                    std::span<std::uint8_t, crypto::kTagSize> tag) override {
    calls_.push_back({nonce, Frame(aad.begin(), aad.end()), data.size(), key_});
    if (fail_next) return fail(ErrorKind::Provider, Reason::InternalError, "dictated");
    return inner_->seal(nonce, aad, data, tag);
  }
  Result<void> open(const crypto::Nonce& nonce, Bytes aad, MutableBytes data,
                    std::span<const std::uint8_t, crypto::kTagSize> tag) override {
    calls_.push_back({nonce, Frame(aad.begin(), aad.end()), data.size(), key_});
    return inner_->open(nonce, aad, data, tag);
  }
  bool fail_next = false;

 private:
  std::unique_ptr<crypto::Aead> inner_;
  std::vector<Call>& calls_;
  std::uint8_t key_ = 0;
};

TrafficKey key(std::uint8_t value) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(value);
  return TrafficKey::copy_of(bytes);
}

class Record : public testing::Test {
 protected:
  Record() { use(crypto::info(crypto::AeadId::Aes256Gcm)); }

  std::unique_ptr<Witness> aead(std::vector<Witness::Call>& calls) {
    return std::make_unique<Witness>(provider->aead(crypto::AeadId::Aes256Gcm).value(), calls);
  }
  void use(const crypto::AeadInfo& info) {
    auto sealing = aead(sealed);
    witness = sealing.get();
    sender.set_aead(std::move(sealing), info);
    auto current = aead(opened);
    auto next = aead(opened);
    receiving = {current.get(), next.get()};
    receiver.set_aeads(std::move(current), std::move(next), info);
    sender.set_session_id(kSession);
    receiver.set_session_id(kSession);
    ASSERT_TRUE(sender.set_key(1, key(1)));
    ASSERT_TRUE(receiver.set_key(1, key(1)));
  }
  Result<Frame> seal(FrameType type, std::size_t size, std::uint8_t flags = 0) {
    Frame frame(size + kOverhead);
    std::fill_n(frame.begin() + kFrameHeaderSize, size, std::uint8_t{0x77});
    if (const auto done = sender.seal(type, flags, frame); !done) return std::unexpected(done.error());
    return frame;
  }
  /// Checks the header and opens.
  Result<std::size_t> open(Frame frame) {
    const auto header = wire::decode_header(std::span<const std::uint8_t>(frame).first<kFrameHeaderSize>());
    if (const auto lawful = receiver.check(*header); !lawful) return std::unexpected(lawful.error());
    const auto view = wire::decode_frame(frame, [](const wire::FrameHeader&) { return Result<void>{}; });
    const auto data = receiver.open(std::get<wire::FrameView>(*view));
    if (!data) return std::unexpected(data.error());
    EXPECT_TRUE(std::ranges::all_of(*data, [](std::uint8_t byte) { return byte == 0x77; }));
    return data->size();
  }
  static Frame changed(Frame frame, std::size_t offset) {
    frame[offset] ^= 1;
    return frame;
  }

  std::unique_ptr<crypto::Provider> provider = test::make_fake_provider();
  std::vector<Witness::Call> sealed, opened;
  Witness* witness = nullptr;
  std::array<Witness*, 2> receiving{};
  Sender sender;
  Receiver receiver;
};

TEST_F(Record, the_nonce_is_the_epoch_and_the_full_count) {
  TestAccess::set_count(sender, 0x1122'3344'5566'7788);
  ASSERT_TRUE(sender.set_key(0x0a0b0c0d, key(9)));
  const auto frame = seal(FrameType::AppData, 3);
  ASSERT_TRUE(frame);
  EXPECT_EQ(sealed.back().nonce,
            (crypto::Nonce{0x0a, 0x0b, 0x0c, 0x0d, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}));
  const auto header = wire::decode_header(std::span<const std::uint8_t>(*frame).first<kFrameHeaderSize>()).value();
  EXPECT_EQ(header, (wire::FrameHeader{FrameType::AppData, 0, kSession, 0x0a0b0c0d, 0x5566'7788, 3 + 16}));
}

// SPEC Appendix B 6.
TEST_F(Record, the_aad_is_the_types_label_and_the_header) {
  constexpr std::array<std::string_view, 4> kLabels{"hs", "app", "rekey", "close"};
  for (std::uint8_t type = 1; type <= 4; ++type) {
    const auto frame = seal(static_cast<FrameType>(type), 5);
    ASSERT_TRUE(frame);
    const std::string_view label = kLabels[type - 1U];
    Frame expected(label.begin(), label.end());
    expected.insert(expected.end(), frame->begin(), frame->begin() + kFrameHeaderSize);
    EXPECT_EQ(sealed.back().aad, expected);
    ASSERT_TRUE(open(*frame));
    EXPECT_EQ(opened.back().aad, expected);
  }
}

TEST_F(Record, every_bit_of_the_header_and_the_payload_is_protected) {
  for (std::size_t offset = 0; offset < kOverhead + 4; ++offset) {
    if (offset >= 18 && offset < 22) continue;  // payload_len: the frame would not be whole
    SCOPED_TRACE(offset);
    const auto frame = seal(FrameType::AppData, 4);
    ASSERT_TRUE(frame);
    const auto refused = open(changed(*frame, offset));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(open(*frame)) << "a refused frame has changed the receiver";
  }
}

// SPEC §2.2, Appendix B 15.
TEST_F(Record, the_count_goes_on_across_types_and_epochs_and_past_2_to_the_32) {
  constexpr std::uint64_t kNear = (std::uint64_t{1} << 32) - 3;
  TestAccess::set_count(sender, kNear);
  TestAccess::set_count(receiver, kNear);
  std::set<crypto::Nonce> nonces;
  for (std::uint32_t i = 0; i < 8; ++i) {
    if (i == 5) {
      ASSERT_TRUE(sender.set_key(2, key(2)));
      ASSERT_TRUE(receiver.set_key(2, key(2)));
    }
    const auto frame = seal(i % 2 == 0 ? FrameType::AppData : FrameType::Rekey, 10);
    ASSERT_TRUE(frame);
    const auto header = wire::decode_header(std::span<const std::uint8_t>(*frame).first<kFrameHeaderSize>()).value();
    EXPECT_EQ(header.seq, static_cast<std::uint32_t>(kNear + i));
    EXPECT_TRUE(nonces.insert(sealed.back().nonce).second);
    EXPECT_TRUE(open(*frame)) << i;
  }
  EXPECT_EQ(sealed[4].nonce[7], 1) << "the 33rd bit of n is in the nonce";
}

TEST_F(Record, a_frame_from_2_to_the_32_frames_ago_does_not_open_though_its_seq_fits) {
  const auto frame = seal(FrameType::AppData, 4);
  ASSERT_TRUE(frame);
  TestAccess::set_count(receiver, std::uint64_t{1} << 32);
  const auto refused = open(*frame);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::DecryptFailed);
}

// SPEC §2.2.
TEST_F(Record, an_n_is_spent_even_where_sealing_fails) {
  ASSERT_TRUE(seal(FrameType::AppData, 4));
  witness->fail_next = true;
  EXPECT_FALSE(seal(FrameType::AppData, 4));
  witness->fail_next = false;
  ASSERT_TRUE(seal(FrameType::AppData, 4));
  ASSERT_EQ(sealed.size(), 3U);
  EXPECT_NE(sealed[1].nonce, sealed[2].nonce);
}

// SPEC §2.2.
TEST_F(Record, clear_frames_take_part_in_the_count) {
  Sender fresh;
  Frame frame(kFrameHeaderSize + 8);
  ASSERT_TRUE(fresh.write_clear(FrameType::Handshake, frame));
  const auto header = wire::decode_header(std::span<const std::uint8_t>(frame).first<kFrameHeaderSize>()).value();
  EXPECT_EQ(header, (wire::FrameHeader{FrameType::Handshake, 0, 0, 0, 0, 8}));
  fresh.set_aead(aead(sealed), crypto::info(crypto::AeadId::Aes256Gcm));
  ASSERT_TRUE(fresh.set_key(0, key(1)));
  Frame second(kOverhead + 4);
  ASSERT_TRUE(fresh.seal(FrameType::Handshake, 0, second));
  EXPECT_EQ(sealed.back().nonce[11], 1);
}

// SPEC §2.4.
TEST_F(Record, a_sender_without_a_key_seals_nothing) {
  Sender fresh;
  fresh.set_aead(aead(sealed), crypto::info(crypto::AeadId::Aes256Gcm));
  Frame frame(kOverhead + 4);
  const auto refused = fresh.seal(FrameType::AppData, 0, frame);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::InternalError);
  EXPECT_TRUE(sealed.empty());
}

// SPEC §2.2, Appendix B 15: no n is used twice.
TEST_F(Record, a_count_at_its_end_seals_nothing_not_even_close) {
  TestAccess::set_count(sender, std::numeric_limits<std::uint64_t>::max());
  for (const FrameType type : {FrameType::AppData, FrameType::Close}) {
    const auto refused = seal(type, 4);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, Reason::Limit);
  }
  Frame clear(kFrameHeaderSize + 8);
  EXPECT_FALSE(sender.write_clear(FrameType::Handshake, clear));
  EXPECT_TRUE(sealed.empty());
}

// SPEC §2.5.
TEST_F(Record, another_session_epoch_or_count_is_refused_in_this_order) {
  const auto header = [&](std::uint64_t session, std::uint32_t epoch, std::uint32_t seq) {
    const auto checked = receiver.check({FrameType::AppData, 0, session, epoch, seq, 20});
    return checked ? Reason::Normal : checked.error().reason;
  };
  EXPECT_EQ(header(kSession, 1, 0), Reason::Normal);
  EXPECT_EQ(header(kSession + 1, 9, 9), Reason::ProtocolError);
  EXPECT_EQ(header(kSession, 0, 9), Reason::EpochMismatch);
  EXPECT_EQ(header(kSession, 2, 9), Reason::EpochMismatch);
  EXPECT_EQ(header(kSession, 1, 1), Reason::ProtocolError);
  EXPECT_EQ(header(kSession, 1, 0xffff'ffff), Reason::ProtocolError);
}

// SPEC §6.
TEST_F(Record, the_announced_epoch_begins_with_a_rekey_frame_and_ends_the_one_before) {
  const auto last_of_old = seal(FrameType::AppData, 4);
  ASSERT_TRUE(receiver.set_next_key(key(2)));
  ASSERT_TRUE(open(*last_of_old)) << "the old epoch is lawful until the new one begins";
  ASSERT_TRUE(sender.set_key(2, key(2)));
  EXPECT_EQ(receiver.check({FrameType::AppData, 0, kSession, 2, 1, 20}).error().reason, Reason::ProtocolError);
  EXPECT_EQ(receiver.check({FrameType::Rekey, 0, kSession, 3, 1, 20}).error().reason, Reason::EpochMismatch);
  ASSERT_TRUE(open(*seal(FrameType::Rekey, 9)));
  EXPECT_EQ(receiver.epoch(), 2U);
  EXPECT_FALSE(receiver.next_announced());
  EXPECT_EQ(receiving[0]->key(), 0) << "the old epoch's key is gone";
  EXPECT_EQ(receiving[1]->key(), 2);
  EXPECT_EQ(receiver.check({FrameType::AppData, 0, kSession, 1, 2, 20}).error().reason, Reason::EpochMismatch);
  EXPECT_TRUE(open(*seal(FrameType::AppData, 9)));
}

TEST_F(Record, a_forged_first_frame_of_the_new_epoch_does_not_end_the_old_one) {
  ASSERT_TRUE(receiver.set_next_key(key(2)));
  Frame forged(kOverhead + 9, 0x33);
  wire::encode({FrameType::Rekey, 0, kSession, 2, 0, 25}, std::span<std::uint8_t>(forged).first<kFrameHeaderSize>());
  ASSERT_FALSE(open(forged));
  EXPECT_EQ(receiver.epoch(), 1U);
  EXPECT_TRUE(open(*seal(FrameType::AppData, 4)));
}

// SPEC §8.6.
TEST_F(Record, the_last_frame_of_a_key_is_kept_for_close_at_both_ends) {
  const Usage nearly{.frames = 0xffff'ffff - 2, .bytes = 0};
  TestAccess::set_usage(sender, nearly);
  TestAccess::set_usage(receiver, nearly);
  const auto last_of_data = seal(FrameType::AppData, 1);
  ASSERT_TRUE(last_of_data);
  EXPECT_TRUE(open(*last_of_data));
  const auto beyond = seal(FrameType::AppData, 1);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().reason, Reason::Limit);
  EXPECT_EQ(receiver.check({FrameType::AppData, 0, kSession, 1, 1, 17}).error().reason, Reason::Limit);
  const auto goodbye = seal(FrameType::Close, 2);
  ASSERT_TRUE(goodbye);
  EXPECT_TRUE(open(*goodbye));
  EXPECT_FALSE(seal(FrameType::Close, 2)) << "2^32 frames under one key";
}

// SPEC §8.6.
TEST_F(Record, bytes_beyond_2_to_the_38_are_refused_at_both_ends_but_close_is_not) {
  const Usage nearly{.frames = 10, .bytes = (std::uint64_t{1} << 38) - 5};
  TestAccess::set_usage(sender, nearly);
  TestAccess::set_usage(receiver, nearly);
  EXPECT_FALSE(seal(FrameType::AppData, 6));
  EXPECT_EQ(receiver.check({FrameType::AppData, 0, kSession, 1, 0, 6 + 16}).error().reason, Reason::Limit);
  ASSERT_TRUE(open(*seal(FrameType::AppData, 5)));
  EXPECT_FALSE(seal(FrameType::Rekey, 1));
  EXPECT_TRUE(open(*seal(FrameType::Close, 100)));
}

TEST_F(Record, a_new_key_starts_with_no_usage) {
  TestAccess::set_usage(sender, {.frames = 0xffff'fffe, .bytes = std::uint64_t{1} << 38});
  ASSERT_FALSE(seal(FrameType::AppData, 1));
  ASSERT_TRUE(sender.set_key(2, key(2)));
  EXPECT_TRUE(seal(FrameType::AppData, 1));
  EXPECT_EQ(sender.usage().frames, 1U);
}

TEST_F(Record, bounds_are_the_specifications) {
  const auto lawful = [](FrameType type, std::uint32_t size, std::uint8_t flags = 0) {
    return wire::check_bounds({type, flags, 0, 0, 0, size}, kBounds).has_value();
  };
  EXPECT_TRUE(lawful(FrameType::Handshake, 4) && lawful(FrameType::Handshake, 16'384));
  EXPECT_FALSE(lawful(FrameType::Handshake, 3) || lawful(FrameType::Handshake, 16'385));
  EXPECT_TRUE(lawful(FrameType::AppData, 16) && lawful(FrameType::AppData, 65'552, kFlagEnd));
  EXPECT_FALSE(lawful(FrameType::AppData, 15) || lawful(FrameType::AppData, 65'553) ||
               lawful(FrameType::AppData, 16, 2));
  EXPECT_TRUE(lawful(FrameType::Rekey, 16) && lawful(FrameType::Rekey, 8'192));
  EXPECT_FALSE(lawful(FrameType::Rekey, 15) || lawful(FrameType::Rekey, 8'193) ||
               lawful(FrameType::Rekey, 20, kFlagEnd));
  EXPECT_TRUE(lawful(FrameType::Close, 16) && lawful(FrameType::Close, 1'200));
  EXPECT_FALSE(lawful(FrameType::Close, 15) || lawful(FrameType::Close, 1'201) ||
               lawful(FrameType::Close, 20, kFlagEnd));
}

}  // namespace
}  // namespace qsp::record::stream
