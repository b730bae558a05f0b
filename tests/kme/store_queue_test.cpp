#include "kme/store/queue.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

namespace qsp::kme::test {
namespace {

/// What a store was made to do: numbers, which count once they are committed. Touched by the queue's thread, and read
/// once that has ended.
struct Written {
  std::vector<UnixTime> numbers;
  int transactions = 0;
};

/// Writes the argument of `expire`, and refuses negative ones.
class NumberStore final : public Store {
 public:
  explicit NumberStore(Written& written) : written_(written) {}

  Stored<void> begin() override {
    pending_.clear();
    return {};
  }
  Stored<void> commit() override {
    ++written_.transactions;
    written_.numbers.insert(written_.numbers.end(), pending_.begin(), pending_.end());
    return {};
  }
  void rollback() noexcept override { pending_.clear(); }
  Stored<std::uint64_t> expire(UnixTime now) override {
    if (now < 0) return std::unexpected(StoreError{false, "a negative number"});
    pending_.push_back(now);
    return 0;
  }

  Stored<std::vector<Uuid>> add(std::string_view, std::span<NewPiece>, std::uint64_t) override { return {}; }
  Stored<std::vector<NewPiece>> fresh(std::string_view, std::size_t) override { return {}; }
  Stored<void> confirm(std::string_view, std::span<const Uuid>, Lives) override { return {}; }
  Stored<std::vector<Uuid>> held(std::string_view, std::span<const Uuid>) override { return {}; }
  Stored<Taken> take(const TakeRequest&, UnixTime) override { return {}; }
  Stored<std::vector<Grant>> unannounced(std::string_view, std::size_t) override { return {}; }
  Stored<std::optional<Grant>> find_unannounced(std::string_view, const Uuid&) override { return {}; }
  Stored<void> announced(std::string_view, std::span<const Uuid>) override { return {}; }
  Stored<void> accept(const Grant&) override { return {}; }
  Stored<std::expected<std::vector<TakenKey>, NotRedeemed>> redeem(const RedeemRequest&, UnixTime) override {
    return {};
  }
  Stored<SupplyPage> supply(std::string_view, bool, std::int64_t, std::size_t) override { return {}; }
  Stored<std::vector<Uuid>> spent(std::string_view, std::span<const Uuid>) override { return {}; }
  Stored<std::uint64_t> withdraw(std::string_view, std::span<const Uuid>) override { return 0; }
  Stored<bool> simulated(std::string_view) override { return false; }
  Stored<PoolCounts> counts(std::string_view) override { return {}; }
  Stored<bool> lead(std::string_view) override { return true; }

 private:
  Written& written_;
  std::vector<UnixTime> pending_;
};

StoreQueue::Job write(UnixTime number) {
  return [number](Store& store) -> Stored<void> {
    if (auto done = store.expire(number); !done) return std::unexpected(done.error());
    return {};
  };
}

class StoreQueueTest : public testing::Test {
 protected:
  /// Runs the loop until `told_` has so many entries.
  void await(std::size_t count) {
    while (told_.size() < count) loop_.io().run_one();
  }
  /// Posts a job that keeps the queue's thread until the latch is released, and waits until it does.
  void hold(std::latch& latch) {
    std::latch begun(1);
    ASSERT_TRUE(queue_->post(
        [&](Store&) -> Stored<void> {
          begun.count_down();
          latch.wait();
          return {};
        },
        tell(0)));
    begun.wait();
  }
  StoreQueue::After tell(UnixTime number) {
    return [this, number](const Stored<void>& result) { told_.emplace_back(number, result.has_value()); };
  }
  /// The queue's thread has ended behind it.
  const Written& end() {
    queue_.reset();
    return written_;
  }

  using Told = std::vector<std::pair<UnixTime, bool>>;

  net::Loop loop_;
  // Keeps run_one() waiting while the queue's thread works.
  boost::asio::executor_work_guard<net::Executor> busy_{loop_.executor()};
  Faults faults_;
  Written written_;
  Told told_;
  std::unique_ptr<StoreQueue> queue_ =
      std::make_unique<StoreQueue>(loop_, std::make_unique<NumberStore>(written_), faults_);
};

TEST_F(StoreQueueTest, what_waits_together_is_one_transaction_and_told_in_order) {
  std::latch latch(1);
  hold(latch);
  Told expected{{0, true}};
  for (UnixTime i = 1; i <= 100; ++i) {
    ASSERT_TRUE(queue_->post(write(i), tell(i)));
    expected.emplace_back(i, true);
  }
  latch.count_down();
  await(101);
  EXPECT_EQ(told_, expected);
  EXPECT_EQ(end().numbers.size(), 100U);
  EXPECT_EQ(written_.transactions, 2);
}

TEST_F(StoreQueueTest, a_job_that_is_refused_takes_no_other_with_it) {
  std::latch latch(1);
  hold(latch);
  for (const UnixTime number : {1, -2, 3}) ASSERT_TRUE(queue_->post(write(number), tell(number)));
  latch.count_down();
  await(4);
  EXPECT_EQ(told_, (Told{{0, true}, {1, true}, {-2, false}, {3, true}}));
  EXPECT_EQ(end().numbers, (std::vector<UnixTime>{1, 3}));
}

TEST_F(StoreQueueTest, is_unwell_from_a_failure_on_until_a_write_has_worked) {
  EXPECT_FALSE(queue_->health().failing);
  ASSERT_TRUE(queue_->post(write(-1), tell(-1)));
  await(1);
  const StoreHealth unwell = queue_->health();
  EXPECT_TRUE(unwell.failing);
  EXPECT_FALSE(unwell.full);
  EXPECT_EQ(unwell.problem, "a negative number");
  ASSERT_TRUE(queue_->post(write(1), tell(1)));
  await(2);
  EXPECT_TRUE(queue_->health().failing) << "a job that only read would have gone well too";
  const Instant end = net::Loop::now() + std::chrono::seconds(30);
  while (queue_->health().failing && net::Loop::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(queue_->health().failing);
  EXPECT_EQ(queue_->health().problem, "");
}

TEST_F(StoreQueueTest, is_bounded_and_takes_more_once_there_is_room) {
  std::latch latch(1);
  hold(latch);
  UnixTime taken = 0;
  while (taken <= UnixTime{StoreQueue::kMaxWaiting} && queue_->post(write(taken + 1), tell(taken + 1))) ++taken;
  EXPECT_EQ(taken, UnixTime{StoreQueue::kMaxWaiting});
  latch.count_down();
  await(static_cast<std::size_t>(taken) + 1);
  EXPECT_TRUE(queue_->post(write(9), tell(9)));
  await(static_cast<std::size_t>(taken) + 2);
  EXPECT_EQ(end().numbers.size(), static_cast<std::size_t>(taken) + 1);
}

TEST_F(StoreQueueTest, does_what_waits_before_it_ends_and_tells_nobody_after) {
  for (UnixTime i = 1; i <= 50; ++i) ASSERT_TRUE(queue_->post(write(i), tell(i)));
  EXPECT_EQ(end().numbers.size(), 50U);
  loop_.io().poll();
  EXPECT_TRUE(told_.empty());
}

TEST_F(StoreQueueTest, writes_nothing_while_the_disk_is_full) {
  faults_.set({.disk_full = true});
  ASSERT_TRUE(queue_->post(write(1), tell(1)));
  await(1);
  faults_.set({});
  ASSERT_TRUE(queue_->post(write(2), tell(2)));
  await(2);
  EXPECT_EQ(told_, (Told{{1, false}, {2, true}}));
  EXPECT_EQ(end().numbers, (std::vector<UnixTime>{2}));
}

TEST_F(StoreQueueTest, every_job_is_told_once_while_others_keep_coming) {
  constexpr UnixTime kJobs = 5000;
  UnixTime next = 1;
  while (told_.size() < static_cast<std::size_t>(kJobs)) {
    for (int burst = 0; burst < 7 && next <= kJobs; ++burst) {
      if (!queue_->post(write(next % 10 == 0 ? -next : next), tell(next))) break;
      ++next;
    }
    loop_.io().poll();
  }
  for (UnixTime i = 0; i < kJobs; ++i) {
    ASSERT_EQ(told_[static_cast<std::size_t>(i)], (std::pair<UnixTime, bool>(i + 1, (i + 1) % 10 != 0)));
  }
  EXPECT_EQ(end().numbers.size(), static_cast<std::size_t>(kJobs - kJobs / 10));
}

}  // namespace
}  // namespace qsp::kme::test
