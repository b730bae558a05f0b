// How a store announces, accepts and redeems the grants of keys, over both databases.
#include <set>

#include "kme/raw_sql.hpp"
#include "kme/store_fixture.hpp"

namespace qsp::kme::test {
namespace {

TEST_P(StoreTest, grants_wait_until_they_are_announced) {
  fill_here(*here_, 1, 10, kLater);
  take(request_of(1, 40, {"bob", "carol"}));
  take(request_of(2));
  const auto grants = commit(*here_, [&] { return here_->unannounced(kLink, 2); });
  ASSERT_EQ(grants.size(), 2U);
  EXPECT_EQ(grants[0].key_id, id_of(1));
  EXPECT_EQ(grants[0].link, kLink);
  EXPECT_EQ(grants[0].master, "alice");
  EXPECT_EQ(std::set(grants[0].slaves.begin(), grants[0].slaves.end()), (std::set<std::string>{"bob", "carol"}));
  EXPECT_EQ(grants[0].size, 40U);
  EXPECT_EQ(grants[0].pieces, ids_of(1, 2));
  EXPECT_EQ(grants[0].expires, kLater);
  EXPECT_EQ(grants[1].key_id, id_of(3));
  EXPECT_EQ(counts(*here_).unannounced, 3U);
  const auto find = [&](std::uint64_t id, const std::string& link = kLink) {
    return commit(*here_, [&] { return here_->find_unannounced(link, id_of(id)); });
  };
  ASSERT_TRUE(find(4));
  EXPECT_EQ(find(4)->pieces, ids_of(4, 1));
  EXPECT_FALSE(find(2)) << "a second piece is no key";
  EXPECT_FALSE(find(4, "kme-c"));
  commit_void(*here_, [&] { return here_->announced("kme-c", ids_of(1, 5)); });
  EXPECT_EQ(counts(*here_).unannounced, 3U) << "of another link";
  commit_void(*here_, [&] { return here_->announced(kLink, ids_of(2, 3)); });
  EXPECT_EQ(counts(*here_).unannounced, 1U);
  EXPECT_FALSE(find(4));
  EXPECT_TRUE(find(1));
}

TEST_P(StoreTest, accept_does_nothing_unless_every_piece_is_ready_and_of_the_peer) {
  fill_there(there(), 1, 4);
  fill_here(there(), 5, 1);
  const Grant good{id_of(1), kLink, "alice", {"bob"}, 64, ids_of(1, 2), kLater};
  const auto accept = [&](auto change) {
    Grant grant = good;
    change(grant);
    commit_void(there(), [&] { return there().accept(grant); });
    return counts(there()).granted;
  };
  EXPECT_EQ(accept([](Grant& g) { g.pieces[1] = id_of(99); }), 0U) << "not here";
  EXPECT_EQ(accept([](Grant& g) { g.pieces[1] = id_of(5); }), 0U) << "of this side";
  EXPECT_EQ(accept([](Grant& g) { g.link = "kme-c"; }), 0U) << "of another link";
  EXPECT_EQ(accept([](Grant& g) { g.pieces[1] = id_of(1); }), 0U) << "one piece twice";
  EXPECT_EQ(accept([](Grant& g) { g.key_id = id_of(2); }), 0U) << "another key ID than the first piece's";
  EXPECT_EQ(accept([](Grant& g) { g.size = 65; }), 0U) << "more bytes than pieces";
  EXPECT_EQ(accept([](Grant& g) { g.slaves.clear(); }), 0U) << "for nobody";
  EXPECT_EQ(accept([](Grant&) {}), 2U);
  EXPECT_EQ(accept([](Grant&) {}), 2U) << "repeated";
  EXPECT_EQ(accept([](Grant& g) { g = {id_of(3), kLink, "alice", {"bob"}, 64, {id_of(3), id_of(2)}, kLater}; }), 2U)
      << "one of them is granted already";
  EXPECT_EQ(counts(there()).there, 2U);
  ASSERT_TRUE(redeem({id_of(1)}));
  EXPECT_EQ(accept([](Grant&) {}), 0U) << "after it was handed out";
  EXPECT_EQ(redeem({id_of(1)}).error(), NotRedeemed::NotFound);
}

TEST_P(StoreTest, redeem_says_why_it_gives_nothing) {
  fill_there(there(), 1, 3);
  fill_here(there(), 11, 1);
  commit_void(there(), [&] { return there().accept({id_of(1), kLink, "alice", {"bob"}, 32, ids_of(1, 1), kLater}); });
  EXPECT_EQ(redeem({id_of(99)}).error(), NotRedeemed::NotFound);
  EXPECT_EQ(redeem({id_of(11)}).error(), NotRedeemed::NotFound) << "this side's own: no grant can come";
  EXPECT_EQ(redeem({id_of(2)}).error(), NotRedeemed::Unknown);
  EXPECT_EQ(redeem({id_of(1)}, "carol").error(), NotRedeemed::NotNamed);
  EXPECT_EQ(redeem({id_of(1)}, "bob", kNow, "mallory").error(), NotRedeemed::NotNamed);
  EXPECT_EQ(redeem({id_of(2), id_of(99)}).error(), NotRedeemed::NotFound) << "the peer cannot help";
  EXPECT_EQ(redeem({id_of(2), id_of(1), id_of(99)}, "carol").error(), NotRedeemed::NotNamed);
  EXPECT_EQ(redeem({id_of(1), id_of(1)}).error(), NotRedeemed::NotFound) << "each slave once";
  EXPECT_TRUE(redeem({id_of(1)})) << "none of this has changed anything";
}

TEST_P(StoreTest, redeem_is_all_or_nothing_even_where_its_transaction_goes_on) {
  fill_there(there(), 1, 3);
  for (const std::uint64_t n : {1U, 2U}) {
    commit_void(there(), [&] { return there().accept({id_of(n), kLink, "alice", {"bob"}, 32, ids_of(n, 1), kLater}); });
  }
  must(there().begin());
  EXPECT_EQ(must(there().redeem({"bob", "alice", ids_of(1, 3)}, kNow)).error(), NotRedeemed::Unknown);
  EXPECT_TRUE(must(there().redeem({"bob", "alice", ids_of(1, 1)}, kNow)));
  must(there().commit());
  EXPECT_EQ(counts(there()).granted, 1U);
  EXPECT_TRUE(redeem({id_of(2)}));
}

TEST_P(StoreTest, each_slave_gets_a_key_once_and_the_last_one_removes_it) {
  fill_here(*here_, 1, 2);
  fill_there(there(), 1, 2);
  const auto taken = take(request_of(1, 64, {"bob", "carol", "dave", "bob"}));
  announce();
  for (const std::string slave : {"carol", "bob", "dave"}) {
    EXPECT_EQ(counts(there()).granted, 2U);
    const auto redeemed = redeem({id_of(1)}, slave);
    ASSERT_TRUE(redeemed) << slave;
    EXPECT_EQ(bytes_of((*redeemed)[0]), bytes_of(taken[0]));
    EXPECT_EQ(redeem({id_of(1)}, slave).error(), NotRedeemed::NotFound) << slave;
  }
  EXPECT_EQ(counts(there()).granted, 0U);
  there_.reset();
  for (const char* const table : {"kme_grant", "kme_slave"}) {
    EXPECT_EQ(raw_number(stores_.url("there"), std::string("SELECT COUNT(*) FROM ") + table), 0) << table;
  }
}

TEST_P(StoreTest, granted_keys_expire_with_their_grant_and_their_pieces) {
  fill_there(there(), 1, 1, kNow + 5);
  fill_there(there(), 2, 1, kNow + 50);
  fill_there(there(), 3, 2, kNow + 50);
  const auto accept = [&](std::uint64_t first, std::uint64_t count, UnixTime expires) {
    commit_void(there(), [&] {
      return there().accept({id_of(first),
                             kLink,
                             "alice",
                             {"bob"},
                             static_cast<std::uint32_t>(32 * count),
                             ids_of(first, count),
                             expires});
    });
  };
  accept(1, 2, kLater);
  accept(3, 1, kNow + 5);
  accept(4, 1, kNow + 50);
  EXPECT_EQ(redeem({id_of(1)}, "bob", kNow + 5).error(), NotRedeemed::NotFound) << "its first piece has expired";
  EXPECT_EQ(redeem({id_of(3)}, "bob", kNow + 5).error(), NotRedeemed::NotFound) << "its grant has expired";
  EXPECT_EQ(commit(there(), [&] { return there().expire(kNow + 5); }), 1U);
  EXPECT_EQ(counts(there()).granted, 3U);
  EXPECT_EQ(redeem({id_of(1)}).error(), NotRedeemed::NotFound);
  EXPECT_TRUE(redeem({id_of(4)}, "bob", kNow + 6));
  EXPECT_EQ(commit(there(), [&] { return there().expire(kNow + 50); }), 2U);
  EXPECT_EQ(counts(there()).granted, 0U);
}

}  // namespace
}  // namespace qsp::kme::test
