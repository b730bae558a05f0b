#pragma once

#include <cstdint>
#include <string>

#include "bench/rounds.hpp"

/// Where programs listen that have to be told a port, for they cannot be given a socket, nor say which one they took.
/// On 127.0.0.1 the system may give that port to another program before they listen.
namespace qsp::bench {

/// An address of 127.0.0.0/8 that no other process uses: it is made from this one's id.
std::string own_address();
/// A port that is free there, and stays so until a program of this process takes it.
Outcome<std::uint16_t> free_port();
/// Whether somebody listens on that port there.
bool accepts(std::uint16_t port);

}  // namespace qsp::bench
