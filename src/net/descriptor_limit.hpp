#pragma once

#include <cstddef>

namespace qsp::net {

/// Files, sockets and pipes that this process may have open at once (`ulimit -n`).
std::size_t descriptor_limit() noexcept;

/// Raises that limit as far as it goes without privileges. Children inherit it.
void raise_descriptor_limit() noexcept;

/// How many connections of `each` descriptors fit beside what is open now, with some left for everything else: at
/// least 1. A server that took on more would have descriptors for connections, and none for their work.
std::size_t room_for_connections(std::size_t each) noexcept;

}  // namespace qsp::net
