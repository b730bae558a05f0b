#include "kme/store_queue.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

namespace qsp::kme {

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

void StoreQueue::work() {
  while (true) {
    std::vector<Item> batch;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMaxBatch));
      batch.assign(std::move_iterator(waiting_.begin()), std::move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    run(std::move(batch));
  }
}

void StoreQueue::run(std::vector<Item> batch) {
  Stored<void> together = attempt(batch);
  if (together || batch.size() == 1) return report(std::move(batch), std::move(together));
  // One job that the store refuses must not take the others with it.
  for (Item& item : batch) {
    Stored<void> alone = attempt({&item, 1});
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
