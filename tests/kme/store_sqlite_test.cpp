#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>

#include "base/hex.hpp"
#include "kme/raw_sql.hpp"
#include "kme/store_fixture.hpp"

namespace qsp::kme::test {
namespace {

using StoreTables = StoreTest;
INSTANTIATE_TEST_SUITE_P(Over, StoreTables, ::testing::Values(Kind::Sqlite, Kind::Postgresql), name_of);

TEST_P(StoreTables, of_another_version_are_refused) {
  fill_here(*here_, 1, 1);
  here_.reset();
  *raw_session(stores_.url("here")) << "UPDATE kme_version SET version = 2";
  const auto store = Store::open(stores_.url("here"));
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("version 2"), std::string::npos) << store.error().text;
}

TEST_P(StoreTables, agree_with_the_tallies_whatever_is_done) {
  std::mt19937 random(20260707);
  const auto any = [&](std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(1, most)(random); };
  for (int i = 0; i < 200; ++i) {
    must(here_->begin());
    const std::uint64_t first = any(300);
    auto pieces = new_pieces(first, any(8), first % 2 == 0 ? Owner::Here : Owner::There);
    for (NewPiece& piece : pieces) piece.expires = kNow + static_cast<UnixTime>(any(400));
    must(here_->add(kLink, pieces, 60));
    must(here_->confirm(kLink, ids_of(any(300), any(8))));
    must(here_->take(request_of(static_cast<std::uint32_t>(any(2)), static_cast<std::uint32_t>(any(70))), kNow));
    must(here_->announced(kLink, ids_of(any(300), any(30))));
    const auto key = static_cast<std::uint64_t>(any(300));
    must(here_->accept({id_of(key), kLink, "alice", {"bob", "carol"}, 64, ids_of(key, 2), kLater}));
    must(here_->redeem({any(2) == 1 ? "bob" : "carol", "alice", ids_of(any(300), 1)}, kNow + i));
    must(here_->expire(kNow + i));
    if (i % 5 == 4) {
      here_->rollback();
    } else {
      must(here_->commit());
    }
  }
  const PoolCounts counted = counts(*here_);
  here_.reset();
  const auto rows = [&](const std::string& where) {
    return static_cast<std::uint64_t>(raw_number(stores_.url("here"), "SELECT COUNT(*) FROM " + where));
  };
  EXPECT_EQ(counted.here_fresh, rows("kme_piece WHERE owner = 0 AND state = 0"));
  EXPECT_EQ(counted.here_ready, rows("kme_piece WHERE owner = 0 AND state = 1"));
  EXPECT_EQ(counted.there, rows("kme_piece WHERE owner = 1 AND state = 1"));
  EXPECT_EQ(counted.granted, rows("kme_piece WHERE state = 2"));
  EXPECT_EQ(counted.unannounced, rows("kme_grant WHERE owner = 0"));
  EXPECT_GT(counted.granted, 0U);
  EXPECT_EQ(rows("kme_piece WHERE state = 3 AND bytes <> ''"), 0U) << "what was handed out is erased";
  EXPECT_EQ(rows("kme_slave WHERE id NOT IN (SELECT id FROM kme_grant)"), 0U);
}

class SqliteStore : public ::testing::Test {
 protected:
  Stores stores_{Kind::Sqlite};
  std::string file_ = stores_.folder() / "here";
};

/// What `action` returns in another process.
template <class Action>
int in_child(Action action) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(action());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(SqliteStore, is_a_file_for_its_owner_alone_as_are_its_log_and_its_lock) {
  ::umask(0);
  const auto store = stores_.open("here");
  fill_here(*store, 1, 10);
  EXPECT_EQ(stores_.folder().names(), "here here-wal here.lock");
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(file_).parent_path())) {
    EXPECT_EQ(entry.status().permissions(), std::filesystem::perms(0600)) << entry.path();
  }
  ::umask(022);
}

TEST_F(SqliteStore, that_others_may_read_is_refused_with_the_remedy) {
  stores_.open("here").reset();
  std::filesystem::permissions(file_, std::filesystem::perms(0640));
  const auto store = Store::open("sqlite:" + file_);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("chmod 600 " + file_), std::string::npos) << store.error().text;
}

TEST_F(SqliteStore, that_is_open_is_refused_to_others_and_to_this_process) {
  auto store = stores_.open("here");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(in_child([&] { return Store::open("sqlite:" + file_) ? 0 : 7; }), 7);
    EXPECT_FALSE(Store::open("sqlite:" + file_));
  }
  // Not even a program that ignores our lock gets in, also after the refusals above.
  EXPECT_EQ(in_child([&] {
              try {
                return raw_number("sqlite:" + file_, "SELECT COUNT(*) FROM kme_piece") == 0 ? 1 : 2;
              } catch (const soci::soci_error&) {
                return 7;
              }
            }),
            7);
  store.reset();
  EXPECT_TRUE(Store::open("sqlite:" + file_));
}

TEST_F(SqliteStore, needs_a_folder_that_exists_and_a_file_that_is_a_database) {
  const auto nowhere = Store::open("sqlite:" + (stores_.folder() / "no/here"));
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().text.find("no/here"), std::string::npos);
  const auto text = Store::open("sqlite:" + stores_.folder().with("text", std::string(4096, 'x')));
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().text.find("/text"), std::string::npos) << text.error().text;
  EXPECT_FALSE(Store::open("sqlite:/dev/null"));
}

TEST_F(SqliteStore, says_that_the_disk_is_full_and_goes_on_where_there_is_room_again) {
  auto fill = [&] {
    ::signal(SIGXFSZ, SIG_IGN);
    auto store = stores_.open("here");
    fill_here(*store, 1, 10);
    const rlimit small{1'000'000, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &small);
    must(store->begin());
    auto pieces = new_pieces(100, 20'000, Owner::Here);
    auto added = store->add(kLink, pieces, kRoom);
    bool full = !added && added.error().full;
    if (added) {
      const auto committed = store->commit();
      full = !committed && committed.error().full;
    }
    if (!full) return 1;
    const rlimit large{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &large);
    if (counts(*store).here_ready != 10) return 2;
    commit(*store, [&] { return store->add(kLink, pieces, kRoom); });
    return counts(*store).here_fresh == 20'000 ? 0 : 3;
  };
  EXPECT_EQ(in_child(fill), 0);
  const auto store = stores_.open("here");
  EXPECT_EQ(counts(*store).here_fresh, 20'000U);
}

TEST_F(SqliteStore, keeps_no_bytes_of_keys_that_are_gone_after_the_next_expire) {
  auto store = stores_.open("here");
  fill_here(*store, 1, 50);
  std::array<std::uint8_t, kPieceSize> piece{};
  for (std::size_t i = 0; i < kPieceSize; ++i) piece[i] = byte_of(7, i);
  const std::string hex = to_hex(piece);
  const auto holds = [&] {
    const std::string all = qsp::test::content_of(file_) + qsp::test::content_of(file_ + "-wal");
    return all.find(hex) != std::string::npos;
  };
  EXPECT_TRUE(holds());
  commit(*store, [&] { return store->take(request_of(50), kNow); });
  commit(*store, [&] { return store->expire(kNow); });
  EXPECT_FALSE(holds());
}

}  // namespace
}  // namespace qsp::kme::test
