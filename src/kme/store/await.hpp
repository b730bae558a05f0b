#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "https/await.hpp"
#include "kme/store/queue.hpp"
#include "net/loop.hpp"

namespace qsp::kme {

/// Runs a job and resumes on the loop once it is on disk, or not. Where the queue is full that is a StoreError.
inline https::Awaitable<Stored<void>> committed(net::Loop& loop, StoreQueue& queue, StoreQueue::Job&& job) {
  auto start = [&loop, &queue](auto handler, StoreQueue::Job work) {
    const auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    const auto done = [resume](Stored<void> result) { std::move (*resume)(std::move(result)); };
    if (!queue.post(std::move(work), done)) {
      boost::asio::post(loop.executor(),
                        [done] { done(std::unexpected(StoreError{false, "too many calls wait for the key store"})); });
    }
  };
  return boost::asio::async_initiate<decltype(https::kAwait), void(Stored<void>)>(std::move(start), https::kAwait,
                                                                                  std::move(job));
}

}  // namespace qsp::kme
