#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "https/client.hpp"
#include "kme/store_queue.hpp"
#include "net/loop.hpp"

/// What a coroutine on a loop waits for.
namespace qsp::kme {

template <class T>
using Awaitable = boost::asio::awaitable<T, net::Executor>;
inline constexpr boost::asio::use_awaitable_t<net::Executor> kAwait;

// Both take what they use up by reference: GCC 12 destroys the temporaries of a suspended coroutine twice when its
// frame is dropped, so nothing that owns something may be a temporary in a co_await.

/// Runs a job and resumes on the loop once it is on disk, or not. Where the queue is full that is a StoreError.
inline Awaitable<Stored<void>> store(net::Loop& loop, StoreQueue& queue, StoreQueue::Job&& job) {
  auto start = [&loop, &queue](auto handler, StoreQueue::Job work) {
    const auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    const auto done = [resume](Stored<void> result) { std::move (*resume)(std::move(result)); };
    if (!queue.post(std::move(work), done)) {
      boost::asio::post(loop.executor(),
                        [done] { done(std::unexpected(StoreError{false, "too many calls wait for the key store"})); });
    }
  };
  return boost::asio::async_initiate<decltype(kAwait), void(Stored<void>)>(std::move(start), kAwait, std::move(job));
}

using Answer = std::expected<https::Response, https::Failure>;

/// Makes a call and resumes with its answer. `client` belongs to the loop that the coroutine runs on.
inline Awaitable<std::shared_ptr<Answer>> call(https::Client& client, https::Call&& request) {
  auto start = [&client](auto handler, https::Call what) {
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    client.call(std::move(what),
                [resume](Answer answer) { std::move (*resume)(std::make_shared<Answer>(std::move(answer))); });
  };
  return boost::asio::async_initiate<decltype(kAwait), void(std::shared_ptr<Answer>)>(std::move(start), kAwait,
                                                                                      std::move(request));
}

}  // namespace qsp::kme
