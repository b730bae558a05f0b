// The contract of src/kme/store/store.hpp, over both databases: keys from one end to the other, and transactions.

#include "kme/store_fixture.hpp"

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
