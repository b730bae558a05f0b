#include <mutex>
#include <set>
#include <thread>

#include "kme/raw_sql.hpp"
#include "kme/store_fixture.hpp"

// What only stores that several instances share must hold.

namespace qsp::kme::test {
namespace {

class PostgresqlStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!qsp::test::Postgres::missing().empty()) GTEST_SKIP() << qsp::test::Postgres::missing();
  }
  Stores stores_{Kind::Postgresql};
};

/// Transactions of several instances at once; one that fails, as where two wait for each other, is made again.
template <class Action>
void at_once(Stores& stores, const std::string& name, int instances, Action action) {
  std::vector<std::thread> threads;
  for (int i = 0; i < instances; ++i) {
    threads.emplace_back([&action, i, url = stores.url(name)] {
      auto store = Store::open(url);
      ASSERT_TRUE(store) << store.error().text;
      action(**store, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(PostgresqlStore, gives_no_key_to_two_instances) {
  constexpr std::uint64_t kKeys = 1'200;
  fill_here(*stores_.open("shared"), 1, kKeys);
  std::mutex mutex;
  std::multiset<Uuid> all;
  at_once(stores_, "shared", 3, [&](Store& store, int) {
    for (int idle = 0; idle < 20;) {
      must(store.begin());
      const auto taken = must(store.take(request_of(3), kNow)).keys;
      must(store.commit());
      idle = taken.empty() ? idle + 1 : 0;
      const std::scoped_lock lock(mutex);
      for (const TakenKey& key : taken) all.insert(key.key_id);
    }
  });
  EXPECT_EQ(all.size(), kKeys);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), kKeys);
  const PoolCounts now = counts(*stores_.open("shared"));
  EXPECT_EQ(now.here_ready, 0U);
  EXPECT_EQ(now.unannounced, kKeys);
}

TEST_F(PostgresqlStore, gives_each_slave_a_key_once_though_it_asks_two_instances_in_other_orders) {
  constexpr std::uint64_t kKeys = 300;
  {
    const auto store = stores_.open("shared");
    fill_there(*store, 1, kKeys);
    for (std::uint64_t n = 1; n <= kKeys; ++n) {
      commit_void(*store, [&] {
        return store->accept({id_of(n), kLink, "alice", {"bob", "carol"}, 32, ids_of(n, 1), kLater});
      });
    }
  }
  std::mutex mutex;
  std::multiset<std::pair<std::string, Uuid>> all;
  at_once(stores_, "shared", 4, [&](Store& store, int instance) {
    const std::string slave = instance < 2 ? "bob" : "carol";
    for (std::uint64_t n = 1; n < kKeys; n += 3) {
      std::vector<Uuid> ids = ids_of(n, 3);
      if (instance % 2 == 1) std::ranges::reverse(ids);
      must(store.begin());
      const auto redeemed = must(store.redeem({slave, "alice", ids}, kNow));
      must(store.commit());
      const std::scoped_lock lock(mutex);
      if (redeemed) {
        for (const TakenKey& key : *redeemed) all.emplace(slave, key.key_id);
      }
    }
  });
  EXPECT_EQ(all.size(), 2 * kKeys);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), 2 * kKeys);
  EXPECT_EQ(counts(*stores_.open("shared")).granted, 0U);
}

TEST_F(PostgresqlStore, lets_several_instances_make_its_tables_at_once) {
  at_once(stores_, "shared", 6, [](Store& store, int) { EXPECT_EQ(counts(store).there, 0U); });
}

TEST_F(PostgresqlStore, lets_one_instance_lead_each_link_until_its_connection_ends) {
  auto first = stores_.open("shared");
  const auto second = stores_.open("shared");
  const auto lead = [](Store& store, const std::string& link) {
    return commit(store, [&] { return store.lead(link); });
  };
  EXPECT_TRUE(lead(*first, kLink));
  EXPECT_TRUE(lead(*first, kLink)) << "it stays the leader";
  EXPECT_FALSE(lead(*second, kLink));
  EXPECT_TRUE(lead(*second, "kme-c")) << "each link has its own leader";
  EXPECT_FALSE(lead(*first, "kme-c"));
  first.reset();
  bool leads = false;
  for (int i = 0; i < 9000 && !leads; ++i) {
    leads = lead(*second, kLink);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(leads);
}

TEST_F(PostgresqlStore, survives_a_crash_of_the_server_and_a_restart) {
  const auto store = stores_.open("shared");
  fill_here(*store, 1, 3);
  must(store->begin());
  ASSERT_TRUE(must(store->lead(kLink)));
  ASSERT_EQ(must(store->take(request_of(2), kNow)).keys.size(), 2U);
  qsp::test::Postgres::shared().stop_immediately();
  const auto lost = store->commit();
  ASSERT_FALSE(lost);
  EXPECT_FALSE(lost.error().full);
  EXPECT_FALSE(store->begin()) << "the server is down";
  qsp::test::Postgres::shared().start();
  must(store->begin());
  EXPECT_EQ(must(store->counts(kLink)).here_ready, 3U);
  EXPECT_TRUE(must(store->lead(kLink)));
  EXPECT_EQ(must(store->take(request_of(3), kNow)).keys.size(), 3U);
  must(store->commit());
}

TEST_F(PostgresqlStore, that_is_cut_off_says_so_and_connects_again) {
  const auto store = stores_.open("shared");
  fill_here(*store, 1, 1);
  raw_number(stores_.url("shared"),
             "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'qsp-kme'");
  EXPECT_FALSE(store->begin()) << "it cannot have known";
  must(store->begin());
  EXPECT_EQ(must(store->take(request_of(1), kNow)).keys.size(), 1U);
  must(store->commit());
}

TEST_F(PostgresqlStore, never_shows_a_password) {
  for (const std::string url : {"postgresql://qsp:hunter2@127.0.0.1:1/x", "postgresql://qsp:hunter2@[::1/x",
                                "postgresql://qsp:hunter2@/x?host=/nonexistent&hunter2=1",
                                "postgresql://hunter2:hunter2@/hunter2?host=/nonexistent"}) {
    const auto store = Store::open(url);
    ASSERT_FALSE(store) << url;
    if (!url.ends_with("/hunter2?host=/nonexistent")) {
      EXPECT_EQ(store.error().text.find("hunter2"), std::string::npos) << store.error().text;
    }
    EXPECT_EQ(store.error().text.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace qsp::kme::test
