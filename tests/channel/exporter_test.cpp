// Keys for use outside the channel (SPEC §6 "Exports").
#include <gtest/gtest.h>

#include <set>

#include "channel/traffic.hpp"
#include "channel/world.hpp"

namespace qsp::test {
namespace {

class Exporter : public testing::Test {
 protected:
  Result<Exported> get(Role role, std::string_view label = "label", std::string_view context = "context",
                       std::size_t size = 32, std::optional<std::uint32_t> epoch = std::nullopt) {
    return channel(*pair, role).export_key(label, as_bytes(context), size, epoch);
  }
  /// The key alone, for comparisons.
  std::vector<std::uint8_t> key(Role role, std::string_view label = "label", std::string_view context = "context",
                                std::size_t size = 32, std::optional<std::uint32_t> epoch = std::nullopt) {
    const Exported exported = get(role, label, context, size, epoch).value();
    return {exported.key.reveal().begin(), exported.key.reveal().end()};
  }
  void rekey() {
    ASSERT_TRUE(pair->rekey(Role::Server));
    pair->run();
  }
  void expect_misuse(const Result<Exported>& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::ApiMisuse);
  }

  World world;
  std::unique_ptr<Pair> pair = world.established();
};

TEST_F(Exporter, both_ends_get_the_same_key_and_its_epoch) {
  for (std::uint32_t epoch = 1; epoch < 4; ++epoch) {
    const auto client = get(Role::Client);
    const auto server = get(Role::Server);
    ASSERT_TRUE(client && server);
    EXPECT_TRUE(constant_time_equal(client->key.reveal(), server->key.reveal()));
    EXPECT_EQ(client->epoch, epoch);
    EXPECT_EQ(server->epoch, epoch);
    rekey();
  }
}

TEST_F(Exporter, a_key_depends_on_session_epoch_label_context_and_size) {
  std::set<std::vector<std::uint8_t>> keys;
  std::size_t made = 0;
  for (int session = 0; session < 2; ++session) {
    pair = world.established();
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (const std::string_view label : {"", "a", "ab", "b"}) {
        for (const std::string_view context : {"", "a", "b", "ba"}) {
          keys.insert(key(Role::Client, label, context));
          ++made;
        }
      }
      const auto shorter = key(Role::Client, "a", "a", 31);
      const auto longer = key(Role::Client, "a", "a", 32);
      EXPECT_FALSE(std::equal(shorter.begin(), shorter.end(), longer.begin())) << "not a prefix";
      rekey();
    }
  }
  EXPECT_EQ(keys.size(), made);
}

// SPEC Appendix B 22.
TEST_F(Exporter, the_client_uses_the_new_epoch_only_after_done) {
  const auto first = key(Role::Client);
  ASSERT_TRUE(pair->rekey(Role::Server));
  ASSERT_TRUE(pair->deliver(Role::Server));
  ASSERT_EQ(pair->at(Role::Client).epoch(), 2U) << "sends in it already";
  EXPECT_EQ(get(Role::Client).value().epoch, 1U);
  EXPECT_EQ(key(Role::Client), first);
  expect_misuse(get(Role::Client, "label", "context", 32, 2));
  ASSERT_TRUE(pair->deliver(Role::Client));
  EXPECT_EQ(get(Role::Server).value().epoch, 2U) << "the server moves when confirm verifies";
  ASSERT_TRUE(pair->deliver(Role::Server));
  EXPECT_EQ(get(Role::Client).value().epoch, 2U);
  EXPECT_EQ(key(Role::Client), key(Role::Server));
}

TEST_F(Exporter, the_previous_epoch_is_kept_and_older_ones_are_refused) {
  std::vector<std::vector<std::uint8_t>> keys{{}, key(Role::Client)};
  expect_misuse(get(Role::Client, "label", "context", 32, 0));
  for (std::uint32_t epoch = 2; epoch < 6; ++epoch) {
    rekey();
    keys.push_back(key(Role::Server));
    for (const Role role : kBoth) {
      EXPECT_EQ(key(role, "label", "context", 32, epoch), keys.at(epoch));
      const auto previous = get(role, "label", "context", 32, epoch - 1).value();
      EXPECT_TRUE(constant_time_equal(previous.key.reveal(), keys.at(epoch - 1)));
      EXPECT_EQ(previous.epoch, epoch - 1);
      for (const std::uint32_t gone : {0U, epoch - 2, epoch + 1, 0xffff'ffffU}) {
        expect_misuse(get(role, "label", "context", 32, gone));
      }
    }
  }
}

TEST_F(Exporter, has_the_bounds_of_the_specification) {
  for (const Role role : kBoth) {
    EXPECT_TRUE(get(role, std::string(200, 'x')));
    expect_misuse(get(role, std::string(201, 'x')));
    EXPECT_TRUE(get(role, "label", std::string(100'000, 'x')));
    EXPECT_EQ(get(role, "label", "", 1).value().key.size(), 1U);
    EXPECT_EQ(get(role, "label", "", 8'160).value().key.size(), 8'160U);
    expect_misuse(get(role, "label", "", 0));
    expect_misuse(get(role, "label", "", 8'161));
    EXPECT_EQ(pair->at(role).phase(), Phase::Established) << "a refusal is local";
  }
}

/// SPEC §6: "Labels that begin with "qsp1 " are QSP's own: an end MUST refuse them to its application".
TEST_F(Exporter, keeps_the_labels_of_qsp_itself) {
  for (const Role role : kBoth) {
    for (const std::string_view label : {"qsp1 ", "qsp1 datagram", "qsp1  "}) expect_misuse(get(role, label));
    for (const std::string_view label : {"qsp1", "qsp1x", "QSP1 ", " qsp1 ", "qsp ", "qsp e91 pad"}) {
      EXPECT_TRUE(get(role, label)) << label;
    }
    EXPECT_EQ(pair->at(role).phase(), Phase::Established) << "a refusal is local";
  }
}

TEST_F(Exporter, gives_nothing_before_established_or_after_closed) {
  pair->close(Role::Client, Reason::Normal, "");
  pair->run();
  for (const Role role : kBoth) expect_misuse(get(role));
  pair = world.pair();
  for (const Role role : kBoth) expect_misuse(get(role));
  pair->deliver(Role::Client);
  pair->deliver(Role::Server);
  for (const Role role : kBoth) expect_misuse(get(role));
}

}  // namespace
}  // namespace qsp::test
