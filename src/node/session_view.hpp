#pragma once

#include <cstdint>
#include <optional>

#include "net/connection.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::node {

/// A session as it is told of.
struct SessionView {
  std::uint64_t id = 0;
  net::tcp::endpoint address;  ///< the peer's
  std::uint32_t epoch = 0;     ///< that this end sends in
  net::Traffic traffic;
  /// Whether the peer's stream ended before the session did.
  bool cut_off = false;
  std::optional<ChannelStatus> status;  ///< of QSP 1.0, which alone tells it
};

/// Precondition: it was established.
SessionView view_of(const net::Connection& connection);

}  // namespace qsp::node
