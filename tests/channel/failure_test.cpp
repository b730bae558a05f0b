// A cryptographic library that fails at any of its operations: the session closes, whole (SPEC §8.4, INTERNAL_ERROR).
#include <gtest/gtest.h>

#include "channel/traffic.hpp"
#include "channel/world.hpp"
#include "support/scripted.hpp"

namespace qsp::test {
namespace {

/// A world whose one end computes with a provider that a test can break.
struct Fragile {
  Fragile(Role fragile, QkdPolicy qkd)
      : inner(make_fake_provider(1)),
        world(fragile == Role::Client ? scripted() : make_fake_provider(2),
              fragile == Role::Server ? scripted() : make_fake_provider(2), qkd) {}

  std::unique_ptr<crypto::Provider> scripted() {
    auto made = std::make_unique<ScriptedProvider>(*inner);
    provider = made.get();
    return made;
  }

  std::unique_ptr<crypto::Provider> inner;
  ScriptedProvider* provider = nullptr;
  World world;
};

/// A handshake, data, a rekey that each end starts, data again, and END. Goes on whatever fails.
void live(World& world, Pair& pair) {
  world.run_with_keys(pair);
  for (const Role leader : {Role::Server, Role::Client}) {
    for (const Role role : kBoth) static_cast<void>(pair.send(role, "before"));
    static_cast<void>(pair.rekey(leader));
    for (const Role role : kBoth) static_cast<void>(pair.send(role, "during"));
    world.run_with_keys(pair);
  }
  for (const Role role : kBoth) static_cast<void>(pair.send(role, as_bytes("last"), true));
  pair.run();
}
constexpr std::string_view kSaid = "beforeduringbeforeduringlast";

class Failures : public testing::TestWithParam<std::tuple<Role, QkdPolicy, bool>> {};

// SPEC §5.8.
TEST_P(Failures, at_any_operation_close_the_session_with_internal_error_and_nothing_half_done) {
  const auto [fragile, qkd, once] = GetParam();
  std::uint64_t operations = 0;
  {
    Fragile whole(fragile, qkd);
    const auto pair = whole.world.pair();
    whole.provider->take_count();
    live(whole.world, *pair);
    operations = whole.provider->take_count();
    for (const Role role : kBoth) {
      ASSERT_EQ(pair->seen(role).closed.value_or(Closed{Reason::InternalError, ""}).reason, Reason::Normal);
      ASSERT_EQ(as_text(pair->seen(role).received()), kSaid);
    }
  }
  ASSERT_GT(operations, 60U);
  for (std::uint64_t count = 0; count < operations; ++count) {
    Fragile broken(fragile, qkd);
    const auto pair = broken.world.pair();
    once ? broken.provider->fail_once_after(count) : broken.provider->fail_after(count);
    live(broken.world, *pair);

    const auto& closed = pair->seen(fragile).closed;
    ASSERT_TRUE(closed) << "operation " << count;
    const bool last_words = count + 2 >= operations;  // its own CLOSE, or the peer's, which nobody waits for
    if (!last_words || closed->reason != Reason::Normal) {
      EXPECT_EQ(closed->reason, Reason::InternalError) << "operation " << count << ": " << closed->text;
      EXPECT_FALSE(closed->by_peer) << "operation " << count;
    }
    EXPECT_FALSE(pair->at(fragile).next_timeout());
    EXPECT_FALSE(pair->send(fragile, "more"));

    // The other end is told, or sees the stream end; it never gets a byte that was not sent.
    pair->end_of_stream(fragile);
    const auto& there = pair->seen(other(fragile)).closed;
    ASSERT_TRUE(there) << "operation " << count;
    // An n whose seal failed is spent, so the CLOSE behind it follows neither it nor, where it was DONE, the epoch.
    const bool gap = once && (there->text == "frame header: seq" ||
                              there->text == "frame header: the new epoch begins without DONE");
    const bool cut = there->reason == Reason::ProtocolError && (gap || there->text == "the stream ended without CLOSE");
    EXPECT_TRUE(cut || there->reason == Reason::InternalError || there->reason == Reason::HandshakeFailed ||
                there->reason == Reason::Normal)
        << "operation " << count << ": " << name(there->reason) << ", " << there->text;
    for (const Role role : kBoth) {
      EXPECT_TRUE(kSaid.starts_with(as_text(pair->seen(role).received()))) << "operation " << count;
    }
    if (pair->seen(Role::Server).session_id && pair->seen(Role::Client).session_id) {
      EXPECT_EQ(pair->seen(Role::Server).session_id, pair->seen(Role::Client).session_id);
    }
    EXPECT_EQ(pair->defect(), "") << "operation " << count;
  }
}

INSTANTIATE_TEST_SUITE_P(Provider, Failures,
                         testing::Combine(testing::Values(Role::Client, Role::Server),
                                          testing::Values(QkdPolicy::None, QkdPolicy::Required), testing::Bool()),
                         [](const auto& which) {
                           return std::string(std::get<0>(which.param) == Role::Client ? "client" : "server") +
                                  (std::get<1>(which.param) == QkdPolicy::None ? "" : "_with_qkd") +
                                  (std::get<2>(which.param) ? "_once" : "_for_good");
                         });

TEST(Failure, at_any_operation_makes_no_client) {
  Fragile whole(Role::Client, QkdPolicy::None);
  whole.provider->take_count();
  ASSERT_TRUE(Channel::client(*whole.provider, whole.world.client, Instant()));
  const std::uint64_t operations = whole.provider->take_count();
  ASSERT_GT(operations, 0U);
  for (std::uint64_t count = 0; count < operations; ++count) {
    whole.provider->fail_after(count);
    const auto made = Channel::client(*whole.provider, whole.world.client, Instant());
    ASSERT_FALSE(made) << count;
    EXPECT_EQ(made.error().kind, ErrorKind::Provider) << count;
  }
}

TEST(Failure, of_an_export_is_the_providers_and_closes_nothing) {
  Fragile broken(Role::Client, QkdPolicy::None);
  const auto pair = broken.world.established();
  for (const std::uint64_t count : {0U, 1U}) {
    broken.provider->fail_after(count);
    const auto exported = channel(*pair, Role::Client).export_key("label", {}, 32);
    ASSERT_FALSE(exported);
    EXPECT_EQ(exported.error().kind, ErrorKind::Provider);
  }
  broken.provider->never_fail();
  EXPECT_TRUE(channel(*pair, Role::Client).export_key("label", {}, 32));
}

}  // namespace
}  // namespace qsp::test
