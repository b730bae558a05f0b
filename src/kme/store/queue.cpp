#include "kme/store/queue.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <chrono>
#include <iterator>
#include <utility>

namespace qsp::kme {
namespace {

constexpr std::chrono::seconds kProbeEvery{1};

}  // namespace

StoreQueue::StoreQueue(net::Loop& loop, std::unique_ptr<Store> store, const Faults& faults)
    : loop_(loop), store_(std::move(store)), faults_(faults), thread_([this] { work(); }) {}

StoreQueue::~StoreQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
}

bool StoreQueue::post(Job job, After after) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= kMaxWaiting) return false;
    waiting_.emplace_back(std::move(job), std::move(after));
  }
  wake_.notify_one();
  return true;
}

void StoreQueue::renew() {
  const std::lock_guard lock(mutex_);
  renewing_ = true;
}

void StoreQueue::work() {
  while (true) {
    std::vector<Item> batch;
    bool renewing = false;
    {
      std::unique_lock lock(mutex_);
      const auto due = [this] { return stopping_ || !waiting_.empty(); };
      if (health_.failing) {
        wake_.wait_for(lock, kProbeEvery, due);
      } else {
        wake_.wait(lock, due);
      }
      if (stopping_ && waiting_.empty()) return;
      renewing = std::exchange(renewing_, false);
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMaxBatch));
      batch.assign(std::move_iterator(waiting_.begin()), std::move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    if (renewing) store_->renew();
    if (!batch.empty()) run(std::move(batch));
    if (net::Loop::now() >= probe_at_) probe();
  }
}

void StoreQueue::run(std::vector<Item> batch) {
  Stored<void> together = attempt(batch);
  if (together || batch.size() == 1) {
    if (!together) failed(together.error());
    return report(std::move(batch), std::move(together));
  }
  // One job that the store refuses must not take the others with it.
  for (Item& item : batch) {
    Stored<void> alone = attempt({&item, 1});
    if (!alone) failed(alone.error());
    std::vector<Item> one;
    one.push_back(std::move(item));
    report(std::move(one), std::move(alone));
  }
}

void StoreQueue::report(std::vector<Item> items, Stored<void> result) {
  boost::asio::post(loop_.executor(),
                    [items = std::move(items), result = std::move(result), alive = std::weak_ptr(alive_)]() mutable {
                      for (Item& item : items) {
                        if (!alive.expired()) item.after(result);
                      }
                    });
}

void StoreQueue::failed(const StoreError& error) {
  bool news = false;
  {
    const std::lock_guard lock(mutex_);
    news = !health_.failing || health_.full != error.full;
    health_ = {.failing = true, .full = error.full, .problem = error.full ? "full: " + error.text : error.text};
  }
  if (probe_at_ == Instant::max()) probe_at_ = net::Loop::now() + kProbeEvery;
  if (!news) return;
  if (error.full) {
    spdlog::error("the key store is full: {}; no key is taken or given until there is room again", error.text);
  } else {
    spdlog::error("the key store fails: {}; trying again until it works", error.text);
  }
}

/// What only reads may work on a full disk, and nobody may want to write for a long time: so a write that changes
/// nothing tells.
void StoreQueue::probe() {
  std::array<Item, 1> nothing{Item{.job = [](Store& store) { return store.probe(); }, .after = {}}};
  if (const Stored<void> works = attempt(nothing); !works) {
    probe_at_ = net::Loop::now() + kProbeEvery;
    return failed(works.error());
  }
  probe_at_ = Instant::max();
  const std::lock_guard lock(mutex_);
  health_ = {};
  spdlog::info("the key store works again");
}

StoreHealth StoreQueue::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

Stored<void> StoreQueue::attempt(std::span<Item> items) {
  if (faults_.disk_full()) return std::unexpected(StoreError{true, "injected fault: no space left"});
  if (auto begun = store_->begin(); !begun) return begun;
  for (Item& item : items) {
    if (auto done = item.job(*store_); !done) {
      store_->rollback();
      return done;
    }
  }
  auto committed = store_->commit();
  if (!committed) store_->rollback();
  return committed;
}

}  // namespace qsp::kme
