// Ten thousand rekeys of each form lose no byte (SPEC §7.5).
#include <gtest/gtest.h>

#include "channel/traffic.hpp"
#include "channel/world.hpp"

namespace qsp::test {
namespace {

using std::chrono::seconds;

struct Form {
  QkdPolicy qkd;
  bool light;
  Role leader;
  std::uint32_t rekeys;
};

std::string form_name(const testing::TestParamInfo<Form>& info) {
  std::string name = info.param.light ? "light" : "kem";
  if (info.param.qkd != QkdPolicy::None) name += "_and_qkd";
  return name + (info.param.leader == Role::Server ? "_by_the_server" : "_asked_for_by_the_client");
}

class Forms : public testing::TestWithParam<Form> {};

// SPEC Appendix B 12.
TEST_P(Forms, rekeys_lose_no_byte_with_data_in_flight_both_ways) {
  World world(GetParam().qkd);
  world.server.rekey.light = GetParam().light;
  world.client.kems = world.server.kems = {crypto::KemId::MlKem512};  // the smallest: most of the time goes into shares
  const auto pair = world.established();
  Traffic traffic(*pair);
  for (std::uint32_t round = 0; round < GetParam().rekeys; ++round) {
    if (GetParam().leader == Role::Client) pair->advance(seconds(10));  // the pace of requests
    traffic.send_both();
    ASSERT_TRUE(pair->rekey(GetParam().leader));
    traffic.send_both();
    // One frame at a time, and more data behind each: in every state of both ends data is in flight both ways.
    for (int step = 0; step < 4; ++step) {
      pair->deliver(Role::Client);
      pair->deliver(Role::Server);
      world.answer(*pair, Role::Server);
      traffic.send(step % 2 == 0 ? Role::Client : Role::Server);
    }
    world.run_with_keys(*pair);
    for (const Role role : kBoth) {
      ASSERT_EQ(pair->at(role).epoch(), round + 2) << pair->seen(role).closed.value_or(Closed{}).text;
      ASSERT_EQ(pair->seen(role).epochs.size(), round + 1);
      ASSERT_EQ(pair->seen(role).epochs.back(), round + 2);
    }
  }
  for (const Role role : kBoth) {
    const ChannelStatus status = channel(*pair, role).status();
    EXPECT_EQ(status.current.kem, !GetParam().light);
    EXPECT_EQ(status.current.key_id.has_value(), GetParam().qkd != QkdPolicy::None);
  }
  traffic.expect_all_arrived();
  EXPECT_EQ(pair->defect(), "");
}

INSTANTIATE_TEST_SUITE_P(Rekey, Forms,
                         testing::Values(Form{QkdPolicy::None, true, Role::Server, 10'000},
                                         Form{QkdPolicy::None, false, Role::Server, 10'000},
                                         Form{QkdPolicy::Required, true, Role::Server, 10'000},
                                         Form{QkdPolicy::Required, false, Role::Server, 10'000},
                                         Form{QkdPolicy::None, false, Role::Client, 1'000},
                                         Form{QkdPolicy::Preferred, false, Role::Client, 1'000}),
                         form_name);

}  // namespace
}  // namespace qsp::test
