#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace qsp::net {

/// What a coroutine awaits with where an error is an answer like any other: the error and the results, nothing thrown.
inline constexpr auto kOutcome = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace qsp::net
