#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <set>

#include "files/file.hpp"
#include "kme/raw_sql.hpp"
#include "kme/store_fixture.hpp"

// Two ends of a link in a process that is killed at any moment, again and again.

namespace qsp::kme::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint32_t kMaxSize = 100;
constexpr std::uint64_t kPiecesOfRound = 100'000;

/// What an SAE is given, told in one write, which a pipe keeps whole.
struct Answer {
  bool redeemed;
  Uuid key_id;
  std::uint32_t size;
  std::array<std::uint8_t, kMaxSize> bytes;
};

void tell(int out, bool redeemed, const TakenKey& key) {
  Answer answer{redeemed, key.key_id, static_cast<std::uint32_t>(key.key.size()), {}};
  std::ranges::copy(key.key.reveal(), answer.bytes.begin());
  if (::write(out, &answer, sizeof answer) != sizeof answer) throw std::runtime_error("nobody listens");
}

/// Both ends, as a pair of KMEs would drive them: every answer is told after its commit and not before.
class Ends {
 public:
  Ends(Stores& stores, int out, unsigned round, std::vector<Uuid> taken)
      : here_(stores.open("here")),
        there_(stores.open("there")),
        out_(out),
        random_(round),
        next_(round * kPiecesOfRound),
        taken_(std::move(taken)) {}

  [[noreturn]] void run() {
    for (;;) {
      produce();
      take();
      take();
      announce();
      redeem();
    }
  }

 private:
  std::uint32_t any(std::uint32_t most) { return std::uniform_int_distribution<std::uint32_t>(1, most)(random_); }

  void produce() {
    auto pieces = new_pieces(next_, any(12), Owner::Here);
    next_ += pieces.size();
    commit(*here_, [&] { return here_->add(kLink, pieces, kRoom); });
    // Not only these: also those of an earlier process that came no further.
    auto fresh = commit(*here_, [&] { return here_->fresh(kLink, 100); });
    std::vector<Uuid> ids;
    for (NewPiece& piece : fresh) {
      piece.owner = Owner::There;
      ids.push_back(piece.id);
    }
    commit(*there_, [&] { return there_->add(kLink, fresh, kRoom); });
    commit_void(*here_, [&] { return here_->confirm(kLink, ids); });
  }

  void take() {
    auto keys = commit(*here_, [&] { return here_->take(request_of(any(3), any(kMaxSize)), kNow); }).keys;
    for (const TakenKey& key : keys) {
      tell(out_, false, key);
      taken_.push_back(key.key_id);
    }
  }

  void announce() {
    const auto grants = commit(*here_, [&] { return here_->unannounced(kLink, 100); });
    std::vector<Uuid> ids;
    must(there_->begin());
    for (const Grant& grant : grants) {
      must(there_->accept(grant));
      ids.push_back(grant.key_id);
    }
    must(there_->commit());
    commit_void(*here_, [&] { return here_->announced(kLink, ids); });
  }

  void redeem() {
    std::ranges::shuffle(taken_, random_);
    for (std::uint32_t i = any(4); i > 0 && !taken_.empty(); --i) {
      const Uuid id = taken_.back();
      taken_.pop_back();
      const auto keys = commit(*there_, [&] { return there_->redeem({"bob", "alice", {id}}, kNow); });
      // It may be gone: an earlier process may have been killed between the commit and its answer.
      if (!keys) continue;
      for (const TakenKey& key : *keys) tell(out_, true, key);
    }
  }

  std::unique_ptr<Store> here_, there_;
  int out_;
  std::mt19937 random_;
  std::uint64_t next_;
  std::vector<Uuid> taken_;
};

class StoreCrash : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::Postgresql && !qsp::test::Postgres::missing().empty()) {
      GTEST_SKIP() << qsp::test::Postgres::missing();
    }
    stores_.open("here");
    stores_.open("there");
  }

  /// Reads answers for that long, or until there can be none any more; with `first_only` until there is one.
  void listen(int in, std::chrono::milliseconds time, bool first_only = false) {
    const auto end = Clock::now() + time;
    while (Clock::now() < end) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      pollfd ready{in, POLLIN, 0};
      if (::poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
      if (!read_answer(in) || first_only) return;
    }
  }

  bool read_answer(int in) {
    Answer answer{};
    if (::read(in, &answer, sizeof answer) != sizeof answer) return false;
    auto& answers = answer.redeemed ? redeemed_ : taken_;
    const bool is_new = answers.emplace(answer.key_id, answer).second;
    EXPECT_TRUE(is_new) << "twice: " << uuid_text(answer.key_id);
    return true;
  }

  void play(unsigned round, std::chrono::milliseconds after_first, bool crash_server) {
    std::vector<Uuid> open;
    for (const auto& [id, answer] : taken_) {
      if (!redeemed_.contains(id)) open.push_back(id);
    }
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      try {
        Ends(stores_, ends[1], round, std::move(open)).run();
      } catch (const std::exception& error) {
        if (!crash_server) std::fprintf(stderr, "child: %s\n", error.what());
        ::_exit(crash_server ? 0 : 1);
      }
    }
    ::close(ends[1]);
    const files::Descriptor in(ends[0]);
    // Some are killed while they open their stores.
    if (round % 4 != 0) listen(in.get(), std::chrono::seconds(5), true);
    listen(in.get(), after_first);
    if (crash_server) qsp::test::Postgres::shared().stop_immediately();
    ::kill(child, SIGKILL);
    while (read_answer(in.get())) {
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "it failed before it was killed";
    if (crash_server) qsp::test::Postgres::shared().start();
  }

  void check_tables(const std::string& name) {
    const PoolCounts counted = counts(*stores_.open(name));
    const auto rows = [&](const std::string& where) {
      return static_cast<std::uint64_t>(raw_number(stores_.url(name), "SELECT COUNT(*) FROM " + where));
    };
    const std::uint64_t gone = rows("kme_piece WHERE state = 3");
    EXPECT_EQ(rows("kme_piece"), counted.here_fresh + counted.here_ready + counted.there + counted.granted + gone)
        << name;
    EXPECT_EQ(rows("kme_piece WHERE state = 2"), counted.granted) << name;
    EXPECT_EQ(rows("kme_grant WHERE owner = 0"), counted.unannounced) << name;
    EXPECT_EQ(rows("kme_piece WHERE state = 3 AND bytes <> ''"), 0U) << name;
    EXPECT_GE(gone, name == "here" ? taken_.size() : redeemed_.size()) << name;
  }

  Stores stores_{GetParam()};
  std::map<Uuid, Answer> taken_, redeemed_;
};

INSTANTIATE_TEST_SUITE_P(Over, StoreCrash, ::testing::Values(Kind::Sqlite, Kind::Postgresql), name_of);

TEST_P(StoreCrash, never_answers_a_key_twice_nor_with_other_bytes) {
  constexpr unsigned kRounds = 60;
  std::mt19937 random(20260708);
  std::uniform_int_distribution<int> milliseconds(0, 120);
  for (unsigned round = 1; round <= kRounds; ++round) {
    const bool crash_server = GetParam() == Kind::Postgresql && round % 10 == 5;
    play(round, std::chrono::milliseconds(milliseconds(random)), crash_server);
    if (HasFailure()) break;
  }
  for (const auto& [id, answer] : redeemed_) {
    const auto take = taken_.find(id);
    if (take == taken_.end()) continue;
    EXPECT_EQ(answer.size, take->second.size) << uuid_text(id);
    EXPECT_EQ(answer.bytes, take->second.bytes) << uuid_text(id);
  }
  // However loaded the machine is, both must have happened.
  EXPECT_FALSE(taken_.empty());
  EXPECT_FALSE(redeemed_.empty());
  check_tables("here");
  check_tables("there");
  std::printf("%zu keys taken, %zu redeemed\n", taken_.size(), redeemed_.size());
}

}  // namespace
}  // namespace qsp::kme::test
