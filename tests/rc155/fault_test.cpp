// The provider fails at every operation in turn.

#include <gtest/gtest.h>

#include "fixture.hpp"
#include "support/scripted.hpp"

namespace qsp::rc155 {
namespace {

TEST(Fault, a_provider_that_fails_at_any_operation_ends_the_session_and_leaks_nothing) {
  const auto inner = test::make_fake_provider();
  test::ScriptedProvider counting(*inner);
  {
    Duo duo(std::make_unique<test::ScriptedProvider>(static_cast<crypto::Provider&>(counting)));
    run_scenario(duo);
    ASSERT_TRUE(closed_with(duo.closed(Role::Server), Reason::Normal));
  }
  const std::uint64_t operations = counting.take_count();
  ASSERT_GT(operations, 30U);

  for (std::uint64_t allowed = 0; allowed < operations; ++allowed) {
    auto failing = std::make_unique<test::ScriptedProvider>(*inner);
    test::ScriptedProvider& dial = *failing;
    dial.fail_after(allowed);
    if (!Session::dangerous_make(Role::Client, dial)) {
      EXPECT_EQ(allowed, 0U) << "only the client's nonce is drawn before the session exists";
      continue;
    }
    dial.fail_after(allowed);
    Duo duo(std::move(failing));
    run_scenario(duo);
    bool blamed = false;
    for (const Role role : {Role::Client, Role::Server}) {
      EXPECT_TRUE(only_genuine_data(duo, role)) << allowed;
      blamed = blamed ||
               (duo.closed(role) && !duo.closed(role)->by_peer && duo.closed(role)->reason == Reason::InternalError);
    }
    // Only a failure to seal the last CLOSE is nobody's fault: its sender is closed all the same.
    EXPECT_TRUE(blamed || closed_with(duo.closed(Role::Client), Reason::Normal)) << allowed;
    EXPECT_EQ(duo.pair.defect(), "") << allowed;
  }
}

TEST(Fault, a_session_id_of_zero_drawn_by_the_server_ends_the_handshake) {
  const auto inner = test::make_fake_provider();
  test::ScriptedRng zeros(std::vector<std::uint8_t>(32 + 40, 0));
  auto provider = std::make_unique<test::ScriptedProvider>(*inner);
  provider->use_rng(zeros);
  Duo duo(std::move(provider));
  duo.pair.run();
  EXPECT_TRUE(closed_with(duo.closed(Role::Server), Reason::InternalError));
  EXPECT_TRUE(duo.pair.made(Role::Server).empty());
}

}  // namespace
}  // namespace qsp::rc155
