#include <algorithm>
#include <set>

#include "kme/raw_sql.hpp"
#include "kme/store_fixture.hpp"

// The contract of src/kme/store/store.hpp, over both databases.

namespace qsp::kme::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Over, StoreTest, ::testing::Values(Kind::Sqlite, Kind::Postgresql), name_of);

TEST_P(StoreTest, a_key_goes_from_one_end_to_the_other_with_the_same_bytes) {
  fill_here(*here_, 1, 3);
  fill_there(there(), 1, 3);
  const auto taken = take(request_of(2));
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].key_id, id_of(1)) << "oldest first";
  EXPECT_EQ(taken[1].key_id, id_of(2));
  EXPECT_EQ(bytes_of(taken[0])[5], byte_of(1, 5));
  announce();
  const auto redeemed = redeem({id_of(2), id_of(1)});
  ASSERT_TRUE(redeemed);
  ASSERT_EQ(redeemed->size(), 2U);
  EXPECT_EQ((*redeemed)[0].key_id, id_of(2)) << "in the order of the request";
  EXPECT_EQ(bytes_of((*redeemed)[0]), bytes_of(taken[1]));
  EXPECT_EQ(bytes_of((*redeemed)[1]), bytes_of(taken[0]));
}

TEST_P(StoreTest, keys_that_the_other_side_saw_given_are_withdrawn_and_no_others) {
  fill_here(*here_, 1, 4);
  auto fresh = new_pieces(5, 1, Owner::Here);
  commit(*here_, [&] { return here_->add(kLink, fresh, kRoom); });
  fill_there(there(), 1, 6);
  // A grant came for 2, 5 and 6; 2 is redeemed as well. "here" is as it was before it gave them.
  for (const std::uint64_t n : {2U, 5U, 6U}) {
    commit_void(there(), [&] { return there().accept({id_of(n), kLink, "alice", {"bob"}, 32, ids_of(n, 1), kLater}); });
  }
  ASSERT_TRUE(redeem({id_of(2)}));
  std::vector<Uuid> supply;
  for (const bool is_fresh : {false, true}) {
    std::int64_t after = 0;
    for (SupplyPage page;; after = page.last) {
      page = commit(*here_, [&] { return here_->supply(kLink, is_fresh, after, 3); });
      supply.insert(supply.end(), page.ids.begin(), page.ids.end());
      if (page.ids.empty()) break;
    }
  }
  EXPECT_EQ(supply, ids_of(1, 5));
  auto spent = commit(there(), [&] { return there().spent(kLink, supply); });
  EXPECT_EQ(spent, (std::vector{id_of(2), id_of(5)}));
  EXPECT_TRUE(commit(there(), [&] { return there().spent("another", supply); }).empty());
  EXPECT_EQ(commit(*here_, [&] { return here_->withdraw("another", spent); }), 0U);
  EXPECT_EQ(commit(*here_, [&] { return here_->withdraw(kLink, spent); }), 2U);
  EXPECT_EQ(commit(*here_, [&] { return here_->withdraw(kLink, spent); }), 0U);
  EXPECT_EQ(counts(*here_).here_ready, 3U);
  EXPECT_EQ(counts(*here_).here_fresh, 0U);
  const auto taken = take(request_of(3));
  ASSERT_EQ(taken.size(), 3U);
  EXPECT_EQ(taken[1].key_id, id_of(3));
  EXPECT_TRUE(commit(*here_, [&] { return here_->spent(kLink, ids_of(1, 5)); }).empty())
      << "its own are its own affair";
}

TEST_P(StoreTest, remembers_that_keys_were_simulated) {
  fill_here(*here_, 1, 1);
  const auto simulated = [this] { return commit(*here_, [&] { return here_->simulated(kLink); }); };
  EXPECT_FALSE(simulated());
  std::vector<NewPiece> pieces;
  pieces.push_back(new_piece(2, Owner::There, true));
  commit(*here_, [&] { return here_->add(kLink, pieces, kRoom); });
  EXPECT_TRUE(simulated());
  EXPECT_FALSE(commit(*here_, [&] { return here_->simulated("another"); }));
}

TEST_P(StoreTest, keys_of_every_size_are_cut_and_joined_alike_at_both_ends) {
  // Every size over the faster database, and both sides of every border of a piece over the other.
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t size = 1; size <= etsi014::kMaxKeySize; ++size) {
    if (GetParam() == Kind::Sqlite || size % kPieceSize <= 1) sizes.push_back(size);
  }
  const std::uint64_t pieces = 9 * sizes.size();
  fill_here(*here_, 1, pieces);
  fill_there(there(), 1, pieces);
  must(here_->begin());
  must(there().begin());
  for (const std::uint32_t size : sizes) {
    const auto taken = must(here_->take(request_of(1, size), kNow)).keys;
    ASSERT_EQ(taken.size(), 1U) << size;
    ASSERT_EQ(taken[0].key.size(), size);
    const auto grant = must(here_->find_unannounced(kLink, taken[0].key_id));
    ASSERT_TRUE(grant);
    ASSERT_EQ(grant->pieces.size(), (size + kPieceSize - 1) / kPieceSize);
    EXPECT_EQ(grant->pieces.front(), grant->key_id);
    must(there().accept(*grant));
    const auto redeemed = must(there().redeem({"bob", "alice", {grant->key_id}}, kNow));
    ASSERT_TRUE(redeemed) << size;
    EXPECT_EQ(bytes_of((*redeemed)[0]), bytes_of(taken[0])) << size;
  }
  must(here_->commit());
  must(there().commit());
}

TEST_P(StoreTest, take_gives_nothing_and_changes_nothing_where_a_piece_is_missing) {
  fill_here(*here_, 1, 3);
  EXPECT_TRUE(take(request_of(4)).empty());
  EXPECT_TRUE(take(request_of(2, 33)).empty()) << "two pieces each";
  EXPECT_EQ(counts(*here_).here_ready, 3U);
  EXPECT_EQ(counts(*here_).unannounced, 0U);
  EXPECT_EQ(take(request_of(3)).size(), 3U);
}

TEST_P(StoreTest, take_refuses_sizes_and_numbers_out_of_their_bounds) {
  fill_here(*here_, 1, 3);
  for (const TakeRequest& request : {request_of(1, 0), request_of(1, 513), request_of(1025), request_of(1, 32, {}),
                                     request_of(1, 32, std::vector<std::string>(66, "x"))}) {
    must(here_->begin());
    EXPECT_FALSE(here_->take(request, kNow));
  }
}

TEST_P(StoreTest, take_gives_only_what_is_confirmed_and_of_this_side_and_link) {
  auto fresh = new_pieces(1, 2, Owner::Here);
  commit(*here_, [&] { return here_->add(kLink, fresh, kRoom); });
  fill_there(*here_, 11, 2);
  auto other = new_pieces(21, 2, Owner::Here);
  commit(*here_, [&] { return here_->add("kme-c", other, kRoom); });
  commit_void(*here_, [&] { return here_->confirm("kme-c", ids_of(21, 2)); });
  EXPECT_TRUE(take(request_of(1)).empty());
  commit_void(*here_, [&] { return here_->confirm(kLink, ids_of(2, 30)); });
  const auto taken = take(request_of(1));
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].key_id, id_of(2));
}

TEST_P(StoreTest, a_key_is_simulated_where_one_of_its_pieces_is) {
  std::vector<NewPiece> pieces;
  for (const std::uint64_t n : {1U, 2U, 3U, 4U}) pieces.push_back(new_piece(n, Owner::Here, n == 2));
  commit(*here_, [&] { return here_->add(kLink, pieces, kRoom); });
  commit_void(*here_, [&] { return here_->confirm(kLink, ids_of(1, 4)); });
  for (NewPiece& piece : pieces) piece.owner = Owner::There;
  commit(there(), [&] { return there().add(kLink, pieces, kRoom); });
  const auto taken = take(request_of(2, 64));
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_TRUE(taken[0].simulated);
  EXPECT_FALSE(taken[1].simulated);
  announce();
  const auto redeemed = redeem({taken[0].key_id, taken[1].key_id});
  ASSERT_TRUE(redeemed);
  EXPECT_TRUE((*redeemed)[0].simulated);
  EXPECT_FALSE((*redeemed)[1].simulated);
}

TEST_P(StoreTest, fresh_lists_the_oldest_pieces_until_they_are_confirmed) {
  auto pieces = new_pieces(1, 5, Owner::Here);
  commit(*here_, [&] { return here_->add(kLink, pieces, kRoom); });
  const auto listed = commit(*here_, [&] { return here_->fresh(kLink, 3); });
  ASSERT_EQ(listed.size(), 3U);
  EXPECT_EQ(listed[0].id, id_of(1));
  EXPECT_EQ(listed[2].id, id_of(3));
  EXPECT_TRUE(std::ranges::equal(listed[1].bytes.reveal(), pieces[1].bytes.reveal()));
  EXPECT_EQ(listed[1].owner, Owner::Here);
  commit_void(*here_, [&] { return here_->confirm(kLink, ids_of(1, 4)); });
  EXPECT_EQ(commit(*here_, [&] { return here_->fresh(kLink, 3); }).size(), 1U);
  EXPECT_TRUE(commit(*here_, [&] { return here_->fresh("kme-c", 3); }).empty());
}

TEST_P(StoreTest, a_confirmed_piece_lives_as_long_as_the_confirmation_says) {
  auto here = new_pieces(1, 2, Owner::Here, kNow + 1);
  auto there = new_pieces(3, 2, Owner::There, kNow + 1);
  for (NewPiece& piece : there) piece.confirmed = false;
  commit(*here_, [&] { return here_->add(kLink, here, kRoom); });
  commit(*here_, [&] { return here_->add(kLink, there, kRoom); });
  const std::vector<Uuid> both{id_of(1), id_of(3)};
  commit_void(*here_, [&] { return here_->confirm(kLink, both, {.here = kNow + 10, .there = kNow + 20}); });
  EXPECT_EQ(commit(*here_, [&] { return here_->expire(kNow + 1); }), 2U) << "the two that were not confirmed";
  EXPECT_EQ(commit(*here_, [&] { return here_->expire(kNow + 10); }), 1U);
  EXPECT_EQ(commit(*here_, [&] { return here_->expire(kNow + 19); }), 0U);
  EXPECT_EQ(commit(*here_, [&] { return here_->expire(kNow + 20); }), 1U);
}

TEST_P(StoreTest, confirm_skips_what_is_not_fresh_here) {
  fill_there(*here_, 1, 1);
  fill_here(*here_, 2, 1);
  auto fresh = new_pieces(3, 1, Owner::Here);
  commit(*here_, [&] { return here_->add(kLink, fresh, kRoom); });
  take(request_of(1));
  commit_void(*here_, [&] { return here_->confirm("kme-c", ids_of(1, 4)); });
  EXPECT_EQ(counts(*here_).here_fresh, 1U) << "of another link";
  commit_void(*here_, [&] { return here_->confirm(kLink, ids_of(1, 4)); });
  const PoolCounts now = counts(*here_);
  EXPECT_EQ(now.here_fresh, 0U);
  EXPECT_EQ(now.here_ready, 1U);
  EXPECT_EQ(now.there, 1U);
}

TEST_P(StoreTest, held_names_what_is_or_was_in_the_pool_of_the_link) {
  fill_here(*here_, 1, 2);
  fill_there(*here_, 3, 1);
  take(request_of(1));
  const auto held = commit(*here_, [&] { return here_->held(kLink, ids_of(1, 5)); });
  EXPECT_EQ(held, ids_of(1, 3));
  EXPECT_TRUE(commit(*here_, [&] { return here_->held("kme-c", ids_of(1, 5)); }).empty());
}

TEST_P(StoreTest, what_was_handed_out_cannot_be_added_again) {
  fill_here(*here_, 1, 1);
  fill_there(there(), 1, 1);
  ASSERT_EQ(take(request_of(1)).size(), 1U);
  announce();
  ASSERT_TRUE(redeem({id_of(1)}));
  auto again = new_pieces(1, 1, Owner::Here);
  EXPECT_EQ(commit(*here_, [&] { return here_->add(kLink, again, kRoom); }).size(), 1U) << "skipped, and counted";
  again[0].owner = Owner::There;
  EXPECT_EQ(commit(there(), [&] { return there().add(kLink, again, kRoom); }).size(), 1U);
  commit_void(*here_, [&] { return here_->confirm(kLink, ids_of(1, 1)); });
  EXPECT_TRUE(take(request_of(1)).empty());
  EXPECT_EQ(redeem({id_of(1)}).error(), NotRedeemed::NotFound);
  EXPECT_EQ(counts(*here_).here_fresh + counts(*here_).here_ready, 0U);
  EXPECT_EQ(counts(there()).there, 0U);
}

TEST_P(StoreTest, add_leaves_out_what_has_no_room_and_tells_what_is_there) {
  auto pieces = new_pieces(1, 5, Owner::Here);
  const auto add = [&](std::uint64_t capacity) {
    return commit(*here_, [&] { return here_->add(kLink, pieces, capacity); }).size();
  };
  EXPECT_EQ(add(3), 3U);
  EXPECT_EQ(add(3), 3U) << "a repeated batch";
  EXPECT_EQ(add(4), 4U);
  EXPECT_EQ(counts(*here_).here_fresh, 4U);
  commit_void(*here_, [&] { return here_->confirm(kLink, ids_of(1, 4)); });
  take(request_of(1));
  EXPECT_EQ(add(4), 5U) << "what was handed out takes no room";
  auto others = new_pieces(11, 2, Owner::There);
  EXPECT_EQ(commit(*here_, [&] { return here_->add(kLink, others, 4); }).size(), 2U)
      << "each owner has room of its own";
  EXPECT_EQ(commit(*here_, [&] { return here_->add("kme-c", others, 4); }).size(), 2U) << "each link has its own";
}

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

TEST_P(StoreTest, what_expired_is_neither_given_nor_kept) {
  fill_here(*here_, 1, 2, kNow);
  fill_here(*here_, 3, 1, kNow + 1);
  const auto taken = take(request_of(1));
  ASSERT_EQ(taken.size(), 1U) << "at its time of expiry a key is gone";
  EXPECT_EQ(taken[0].key_id, id_of(3));
  EXPECT_EQ(commit(*here_, [&] { return here_->expire(kNow - 1); }), 0U);
  EXPECT_EQ(commit(*here_, [&] { return here_->expire(kNow); }), 2U);
  EXPECT_EQ(counts(*here_).here_ready, 0U);
  EXPECT_EQ(counts(*here_).unannounced, 1U);
  EXPECT_EQ(commit(*here_, [&] { return here_->expire(kNow + 1); }), 0U) << "handed out already";
  EXPECT_EQ(counts(*here_).unannounced, 0U);
  EXPECT_TRUE(commit(*here_, [&] { return here_->held(kLink, ids_of(1, 3)); }).empty());
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

TEST_P(StoreTest, expire_removes_any_number_of_pieces) {
  fill_here(*here_, 1, 2'500, kNow);
  fill_there(*here_, 10'001, 700, kNow);
  EXPECT_EQ(commit(*here_, [&] { return here_->expire(kNow); }), 3'200U);
  EXPECT_EQ(counts(*here_).here_ready + counts(*here_).there, 0U);
}

TEST_P(StoreTest, a_transaction_that_is_rolled_back_has_not_happened) {
  fill_here(*here_, 1, 4);
  fill_there(*here_, 11, 2);
  must(here_->begin());
  auto pieces = new_pieces(21, 2, Owner::Here);
  must(here_->add(kLink, pieces, kRoom));
  ASSERT_EQ(must(here_->take(request_of(2), kNow)).keys.size(), 2U);
  must(here_->accept({id_of(11), kLink, "alice", {"bob"}, 32, ids_of(11, 1), kLater}));
  must(here_->expire(kLater));
  EXPECT_EQ(must(here_->counts(kLink)).here_ready, 0U) << "a transaction sees what it did";
  here_->rollback();
  const PoolCounts now = counts(*here_);
  EXPECT_EQ(now.here_fresh, 0U);
  EXPECT_EQ(now.here_ready, 4U);
  EXPECT_EQ(now.there, 2U);
  EXPECT_EQ(now.granted, 0U);
  EXPECT_EQ(now.unannounced, 0U);
  EXPECT_EQ(take(request_of(4)).size(), 4U);
}

TEST_P(StoreTest, nothing_works_outside_a_transaction) {
  EXPECT_FALSE(here_->counts(kLink));
  EXPECT_FALSE(here_->commit());
  must(here_->begin());
  must(here_->commit());
  EXPECT_FALSE(here_->take(request_of(1), kNow));
  must(here_->begin());
  EXPECT_FALSE(here_->begin()) << "and the open one is rolled back";
  EXPECT_FALSE(here_->commit());
  here_->rollback();
  EXPECT_TRUE(here_->begin());
}

TEST_P(StoreTest, a_store_that_is_opened_again_holds_the_same) {
  fill_here(*here_, 1, 4);
  fill_there(*here_, 11, 3);
  take(request_of(1));
  commit_void(*here_, [&] { return here_->accept({id_of(11), kLink, "zoe", {"bob"}, 32, ids_of(11, 1), kLater}); });
  here_.reset();
  here_ = stores_.open("here");
  const PoolCounts now = counts(*here_);
  EXPECT_EQ(now.here_ready, 3U);
  EXPECT_EQ(now.there, 2U);
  EXPECT_EQ(now.granted, 1U);
  EXPECT_EQ(now.unannounced, 1U);
  const auto redeemed = commit(*here_, [&] { return here_->redeem({"bob", "zoe", ids_of(11, 1)}, kNow); });
  ASSERT_TRUE(redeemed);
  EXPECT_EQ(bytes_of((*redeemed)[0])[9], byte_of(11, 9));
  EXPECT_EQ(take(request_of(1))[0].key_id, id_of(2));
}

TEST_P(StoreTest, names_are_text_and_nothing_else) {
  const std::string hostile = "'; DROP TABLE kme_piece; -- :id $1 \\ \"é";
  fill_here(*here_, 1, 1);
  fill_there(there(), 1, 1);
  TakeRequest request = request_of(1, 32, {hostile});
  request.master = hostile;
  ASSERT_EQ(take(request).size(), 1U);
  const auto grants = announce();
  EXPECT_EQ(grants[0].slaves[0], hostile);
  EXPECT_TRUE(redeem({id_of(1)}, hostile, kNow, hostile));
}

TEST(StoreUrl, must_be_of_a_known_kind) {
  for (const std::string url : {"", "mysql://x", "sqlite:", "here.db", "sqlite:a\"b"}) {
    const auto store = Store::open(url);
    ASSERT_FALSE(store) << url;
    EXPECT_FALSE(store.error().full);
    EXPECT_FALSE(store.error().text.empty());
  }
}

}  // namespace
}  // namespace qsp::kme::test
