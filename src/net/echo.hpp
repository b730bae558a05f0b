#pragma once

#include <cstdint>

#include "net/connection.hpp"

namespace qsp::net {

/// The server's side of an echo: sends back what comes, and asks for new keys after `rekey_after` frames of an epoch.
class EchoConnection : public Connection {
 public:
  /// Files that one has open: its socket.
  static constexpr std::size_t kDescriptors = 1;

  /// `rekey_after` counts frames of both directions; 0: never.
  EchoConnection(Loop& loop, Socket&& socket, const tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
                 ConnectionOwner& owner, std::uint64_t rekey_after)
      : Connection(loop, std::move(socket), peer, std::move(endpoint), owner), rekey_after_(rekey_after) {}

 private:
  void handle_data(const AppData& data) override;
  void handle_epoch(std::uint32_t epoch) override;
  /// One read fits above the mark; so at most twice kHighWater waits for a peer that does not read.
  [[nodiscard]] bool wants_input() const override { return queued() < kHighWater; }

  std::uint64_t rekey_after_;
  std::uint64_t frames_ = 0;
  bool rekeying_ = false;
};

}  // namespace qsp::net
