#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace qsp::net {

/// What a coroutine awaits with where an error is an answer like any other: the error and the results, nothing thrown.
inline constexpr auto kOutcome = boost::asio::as_tuple(boost::asio::use_awaitable);

/// What a coroutine is started with whose end nobody waits for. What it throws (memory ran out) ends the process, as in
/// any handler: see Loop::run. With asio::detached it would vanish, and the coroutine with it.
inline constexpr auto kAlone = [](const std::exception_ptr& failed) {
  if (failed) std::rethrow_exception(failed);
};

}  // namespace qsp::net
