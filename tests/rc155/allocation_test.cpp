// Once a session is established, frames and rekeys ask for no memory.

#include <gtest/gtest.h>

#include <array>

#include "fixture.hpp"
#include "support/heap.hpp"

namespace qsp::rc155 {
namespace {

/// Moves control bytes and one data frame each way, through a buffer that exists already.
struct Ends {
  explicit Ends(crypto::Provider& provider)
      : client(make(Role::Client, provider)), server(make(Role::Server, provider)) {}

  void pass(Session& from, Session& to) { take(to, MutableBytes(buffer).first(from.poll_transmit(buffer))); }
  void take(Session& to, MutableBytes bytes) {
    while (!bytes.empty()) {
      const std::size_t used = to.handle_bytes(bytes, {});
      if (used == 0) break;
      bytes = bytes.subspan(used);
      while (to.poll_event()) {
      }
    }
  }
  bool send(Session& from, Session& to) {
    const MutableBytes frame = MutableBytes(buffer).first(22 + 12 + 1000 + 16);
    const bool sealed = from.seal_app_data(frame, 1000, false, {}).has_value();
    take(to, frame);
    return sealed;
  }

  std::unique_ptr<Session> client, server;
  std::array<std::uint8_t, 2048> buffer{};
};

TEST(Allocation, frames_and_rekeys_of_an_established_session_need_none) {
  const auto provider = test::make_fake_provider();
  Ends ends(*provider);
  ends.pass(*ends.client, *ends.server);
  ends.pass(*ends.server, *ends.client);
  const auto round = [&] {
    bool good = ends.send(*ends.client, *ends.server) && ends.send(*ends.server, *ends.client);
    good = good && ends.server->request_rekey({}).has_value();
    ends.pass(*ends.server, *ends.client);
    ends.pass(*ends.client, *ends.server);
    return good;
  };
  ASSERT_TRUE(round()) << "the first rekey makes the client's second key object";
  const std::size_t before = qsp::test::heap::made();
  bool good = true;
  for (int i = 0; i < 100; ++i) good = round() && good;
  EXPECT_EQ(qsp::test::heap::made() - before, 0U);
  EXPECT_TRUE(good);
  EXPECT_EQ(ends.client->epoch(), 102U);
  EXPECT_EQ(ends.server->epoch(), 102U);
}

}  // namespace
}  // namespace qsp::rc155
