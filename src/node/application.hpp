#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "net/address.hpp"
#include "net/application.hpp"
#include "net/echo.hpp"

/// What a node does with the data of the sessions that it accepts.
namespace qsp::node {

/// Sends back what comes.
struct EchoData {
  std::uint64_t rekey_after = 0;  ///< new keys after so many data frames of an epoch, of both directions; 0: never
};

/// Runs a command of the shell for each session, on its data; QSP_PEER names the peer.
struct RunCommand {
  std::string line;
};

/// Carries each session to a TCP server.
struct ForwardTo {
  net::Address target;
};

using Application = std::variant<EchoData, RunCommand, ForwardTo>;

/// Files that a session may have open at once.
constexpr std::size_t descriptors_per_session(const Application& application) noexcept {
  if (std::holds_alternative<ForwardTo>(application)) return net::ForwardConnection::kDescriptors;
  return std::holds_alternative<RunCommand>(application) ? net::ExecConnection::kDescriptors
                                                         : net::EchoConnection::kDescriptors;
}

}  // namespace qsp::node
