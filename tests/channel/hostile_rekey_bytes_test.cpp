// Every byte of every rekey message, changed on the wire, or changed by who has the traffic keys; and the stream cut at
// every byte.
#include <gtest/gtest.h>

#include <array>

#include "channel/every_byte.hpp"

namespace qsp::test {
namespace {

using wire::kFrameHeaderSize;

constexpr std::array<Place, 3> kRekey{{{"INIT", Role::Server, 0}, {"ACK", Role::Client, 0}, {"DONE", Role::Server, 1}}};

enum class Form : std::uint8_t { Light, Kem, KemAndQkd };

class RekeyBytes : public testing::TestWithParam<std::tuple<Form, Place>> {
 public:
  static std::string name_of(const testing::TestParamInfo<ParamType>& tested) {
    constexpr std::array<std::string_view, 3> kForms{"_light", "_kem", "_kem_and_qkd"};
    const auto& [form, place] = tested.param;
    return std::string(place.name).append(kForms[std::to_underlying(form)]);
  }

 protected:
  RekeyBytes() : world_(tested_form() == Form::KemAndQkd ? QkdPolicy::Required : QkdPolicy::None) {
    world_.server.rekey.light = tested_form() == Form::Light;
  }
  static Form tested_form() { return std::get<0>(GetParam()); }
  static const Place& place() { return std::get<1>(GetParam()); }
  /// The end that takes the changed message never moves to the new epoch: no EpochChanged, and no data under it.
  void expect_not_moved(Pair& pair) {
    const Role hit = other(place().from);
    EXPECT_TRUE(pair.seen(hit).epochs.empty());
    EXPECT_EQ(pair.seen(Role::Server).epochs.size(), place().name == "DONE" ? 1U : 0U);
  }
  World world_;
};

TEST_P(RekeyBytes, any_byte_changed_ends_both_and_delivers_nothing) {
  const std::size_t size = size_of(world_, place(), true);
  ASSERT_GT(size, kFrameHeaderSize);
  for (const std::size_t offset : offsets(size)) {
    for (const std::uint8_t mask : masks(offset)) {
      SCOPED_TRACE(std::string(place().name) + " byte " + std::to_string(offset) + " ^ " + std::to_string(mask));
      const auto pair = world_.established();
      static_cast<void>(pair->rekey(Role::Server));
      run_altering(world_, *pair, place().from, place().index, [&](Frame& frame) { frame[offset] ^= mask; });
      settle(world_, *pair);
      expect_both_closed(*pair);
      expect_not_moved(*pair);
      const Seen& hit = pair->seen(other(place().from));
      EXPECT_TRUE(lawful(offset, false, false, hit.closed->reason))
          << name(hit.closed->reason) << ": " << hit.closed->text;
      if (HasFailure()) return;
    }
  }
}

TEST_P(RekeyBytes, any_byte_changed_by_who_has_the_traffic_keys_is_caught_by_the_confirm_or_a_rule) {
  const std::size_t size = size_of(world_, place(), true) - kFrameHeaderSize - crypto::kTagSize;
  for (const std::size_t offset : offsets(size)) {
    for (const std::uint8_t mask : {static_cast<std::uint8_t>(offset % 2 == 0 ? 0x01 : 0x20)}) {
      SCOPED_TRACE(std::string(place().name) + " byte " + std::to_string(offset) + " ^ " + std::to_string(mask));
      Relay relay(world_);
      relay.run();
      Pair& pair = relay.pair();
      static_cast<void>(pair.rekey(Role::Server));
      const std::uint64_t first = place().from == Role::Client ? 2 : 3;
      relay.run([&](Role from, std::uint64_t n, Message& message) {
        if (from == place().from && n == first + place().index) message[offset] ^= mask;
      });
      // In "required", a key that the client's KME does not know is asked for again after a NAK; the first rekey ended.
      const bool other_key =
          tested_form() == Form::KemAndQkd && place().name == "INIT" && pair.seen(Role::Server).epochs.empty();
      if (other_key && !pair.seen(Role::Client).closed) continue;
      settle(world_, pair);
      expect_both_closed(pair);
      EXPECT_TRUE(pair.seen(other(place().from)).epochs.empty());
      const Reason reason = pair.seen(Role::Server).closed->reason;
      EXPECT_TRUE(reason == Reason::ProtocolError || reason == Reason::RekeyFailed || reason == Reason::QkdUnavailable)
          << name(reason);
      if (HasFailure()) return;
    }
  }
}

TEST_P(RekeyBytes, a_stream_cut_at_any_byte_ends_both_and_moves_nobody_who_has_not_heard_all) {
  const std::size_t size = size_of(world_, place(), true);
  for (const std::size_t length : offsets(size)) {
    const auto pair = world_.established();
    static_cast<void>(pair->rekey(Role::Server));
    run_altering(world_, *pair, place().from, place().index, [&](Frame& frame) {
      frame.resize(length);
      pair->in_flight(place().from).clear();
    });
    pair->end_of_stream(place().from);
    expect_not_moved(*pair);
    const auto& closed = pair->seen(other(place().from)).closed;
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->reason, Reason::ProtocolError);
    EXPECT_TRUE(closed->truncated);
    settle(world_, *pair);
    expect_both_closed(*pair);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, RekeyBytes,
                         testing::Combine(testing::Values(Form::Light, Form::Kem, Form::KemAndQkd),
                                          testing::ValuesIn(kRekey)),
                         RekeyBytes::name_of);

}  // namespace
}  // namespace qsp::test
