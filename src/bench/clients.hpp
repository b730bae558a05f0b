#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/connection.hpp"
#include "net/loop.hpp"

namespace qsp::bench {

/// Makes the ends of sessions for one thread.
using MakeEnd = std::function<Result<std::unique_ptr<Endpoint>>()>;

/// Opens sessions that say nothing, until a wanted number stands, and keeps them.
class Clients final : public net::ConnectionOwner {
 public:
  Clients(MakeEnd make, const net::tcp::endpoint& server, std::size_t most);

  /// False, with failure() set, if a session could not be had.
  bool open_up_to(std::size_t count);
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

 private:
  void open_one();
  boost::asio::awaitable<void> dial_one();

  void connection_established(net::Connection&) override;
  void connection_rekeyed(net::Connection&) override {}
  void connection_closed(net::Connection&, const Closed& closed, const net::error_code&) override;
  void connection_finished(net::Connection&) override {}

  MakeEnd make_;
  net::tcp::endpoint server_;
  net::Loop loop_;
  std::vector<net::ConnectionPtr> sessions_;
  std::size_t wanted_ = 0;
  std::size_t started_ = 0;
  std::size_t established_ = 0;
  std::string failure_;
};

}  // namespace qsp::bench
