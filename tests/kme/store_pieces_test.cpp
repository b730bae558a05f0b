// How pieces of keys come into a store, are taken from it and expire, over both databases.
#include <algorithm>

#include "kme/store_fixture.hpp"

namespace qsp::kme::test {
namespace {

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

TEST_P(StoreTest, expire_removes_any_number_of_pieces) {
  fill_here(*here_, 1, 2'500, kNow);
  fill_there(*here_, 10'001, 700, kNow);
  EXPECT_EQ(commit(*here_, [&] { return here_->expire(kNow); }), 3'200U);
  EXPECT_EQ(counts(*here_).here_ready + counts(*here_).there, 0U);
}

}  // namespace
}  // namespace qsp::kme::test
