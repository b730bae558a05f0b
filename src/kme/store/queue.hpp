#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "kme/store/faults.hpp"
#include "kme/store/store.hpp"
#include "net/loop.hpp"

namespace qsp::kme {

/// Whether a store works.
struct StoreHealth {
  bool failing = false;
  bool full = false;    ///< for lack of room
  std::string problem;  ///< one line for a person; empty while it works
};

/// Runs jobs against a store on a thread of its own, those that wait together in one transaction: a disk takes some
/// hundred commits a second, and a KME thousands of calls.
class StoreQueue {
 public:
  static constexpr std::size_t kMaxWaiting = 4096;
  static constexpr std::size_t kMaxBatch = 256;

  /// Works inside a transaction. It may be run again after a rollback, so it changes nothing but the store and its own
  /// results.
  using Job = std::move_only_function<Stored<void>(Store&)>;
  /// Called on the loop once the job is on disk, or once it is certain that nothing of it happened. Those of one
  /// transaction are called one right after the other, so what they begin with asio::post they begin together. Dropped
  /// where the queue is gone by then.
  using After = std::move_only_function<void(Stored<void>)>;

  /// `loop` and `faults` outlive the queue, which is destroyed on the loop's thread.
  StoreQueue(net::Loop& loop, std::unique_ptr<Store> store, const Faults& faults);
  StoreQueue(const StoreQueue&) = delete;
  StoreQueue& operator=(const StoreQueue&) = delete;
  /// Does what is waiting, then ends.
  ~StoreQueue();

  /// False, and nothing happens, where too many wait already.
  bool post(Job job, After after);

  /// Store::check_files. From any thread.
  [[nodiscard]] Stored<void> check_files() const { return store_->check_files(); }
  /// Store::renew, before the next transaction.
  void renew();

  /// From a refused transaction on, until the store has shown that it can write again; the log says each once. From any
  /// thread.
  [[nodiscard]] StoreHealth health() const;

 private:
  struct Item {
    Job job;
    After after;
  };

  void work();
  void run(std::vector<Item> batch);
  void report(std::vector<Item> items, Stored<void> result);
  Stored<void> attempt(std::span<Item> items);
  void failed(const StoreError& error);
  void probe();

  net::Loop& loop_;
  std::unique_ptr<Store> store_;
  const Faults& faults_;
  mutable std::mutex mutex_;  ///< of waiting_, stopping_, renewing_ and health_
  StoreHealth health_;
  Instant probe_at_ = Instant::max();  ///< on the queue's own thread: while it fails, when to look again
  std::condition_variable wake_;
  std::deque<Item> waiting_;
  bool stopping_ = false;
  bool renewing_ = false;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  ///< gone once the queue is
  std::jthread thread_;                                                     ///< last: it uses all of the above
};

}  // namespace qsp::kme
