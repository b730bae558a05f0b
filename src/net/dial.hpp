#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "net/address.hpp"
#include "net/happy_eyeballs.hpp"
#include "net/loop.hpp"
#include "qsp/error.hpp"

namespace qsp::net {

/// Resolves a name and connects to the first of its addresses that answers (RFC 8305), all within `timeout`. `loop`
/// outlives it. The error is one line for a person that says what to do next, and names each address with its cause.
asio::awaitable<Result<Dialled, std::string>> dial(Loop& loop, Address address, std::chrono::nanoseconds timeout);

}  // namespace qsp::net
