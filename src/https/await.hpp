#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <expected>
#include <memory>
#include <utility>

#include "https/client.hpp"
#include "net/loop.hpp"

/// Calls that a coroutine on a loop waits for.
namespace qsp::https {

template <class T>
using Awaitable = boost::asio::awaitable<T, net::Executor>;
inline constexpr boost::asio::use_awaitable_t<net::Executor> kAwait;

// What is used up is taken by reference: GCC 12 destroys the temporaries of a suspended coroutine twice when its
// frame is dropped, so nothing that owns something may be a temporary in a co_await.

using Answer = std::expected<Response, CallFailure>;

/// Makes a call and resumes with its answer. `client` belongs to the loop that the coroutine runs on.
inline Awaitable<std::shared_ptr<Answer>> call(Client& client, Call&& request) {
  auto start = [&client](auto handler, Call what) {
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    client.call(std::move(what),
                [resume](Answer answer) { std::move (*resume)(std::make_shared<Answer>(std::move(answer))); });
  };
  return boost::asio::async_initiate<decltype(kAwait), void(std::shared_ptr<Answer>)>(std::move(start), kAwait,
                                                                                      std::move(request));
}

}  // namespace qsp::https
