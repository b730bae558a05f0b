#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <expected>
#include <string>

#include "net/address.hpp"
#include "net/loop.hpp"

namespace qsp::net {

/// A connected socket and the address that answered.
struct Dialled {
  Socket socket;
  tcp::endpoint peer;
};

/// Resolves a name and connects to the first of its addresses that answers, all within `timeout`. `loop` outlives it.
/// The error is one line for a person that says what to do next.
asio::awaitable<std::expected<Dialled, std::string>> dial(Loop& loop, Address address, std::chrono::seconds timeout);

}  // namespace qsp::net
