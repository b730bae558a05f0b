#include "bench/clients.hpp"
#include "net/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

namespace qsp::bench {
namespace {

/// Handshakes under way at once.
constexpr std::size_t kDialling = 32;

class IdleConnection final : public net::Connection {
 public:
  IdleConnection(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                 std::unique_ptr<Endpoint> endpoint, net::ConnectionOwner& owner)
      : Connection(loop, std::move(socket), peer, std::move(endpoint), owner) {}

 private:
  void handle_data(const AppData&) override {}
};

}  // namespace

Clients::Clients(MakeEnd make, const net::tcp::endpoint& server, std::size_t most)
    : make_(std::move(make)), server_(server) {
  sessions_.reserve(most);
}

bool Clients::open_up_to(std::size_t count) {
  wanted_ = count;
  const std::size_t dialling = std::min(kDialling, count - started_);
  for (std::size_t i = 0; i < dialling; ++i) open_one();
  loop_.io().restart();
  while (failure_.empty() && established_ < wanted_ && loop_.io().run_one() != 0) {
  }
  return failure_.empty();
}

void Clients::open_one() {
  ++started_;
  boost::asio::co_spawn(loop_.executor(), dial_one(), boost::asio::detached);
}

boost::asio::awaitable<void> Clients::dial_one() {
  net::Socket socket(loop_.executor());
  auto [failed] = co_await socket.async_connect(server_, net::kOutcome);
  if (failed) {
    failure_ = "cannot connect: " + failed.message();
    co_return;
  }
  Result<std::unique_ptr<Endpoint>> endpoint = make_();
  if (!endpoint) {
    failure_ = fmt::format("cannot make a session: {}", endpoint.error().where);
    co_return;
  }
  sessions_.emplace_back(new IdleConnection(loop_, std::move(socket), server_, std::move(*endpoint), *this));
  sessions_.back()->start();
}

void Clients::connection_established(net::Connection&) {
  ++established_;
  if (started_ < wanted_) open_one();
}

void Clients::connection_closed(net::Connection&, const Closed& closed, const net::error_code&) {
  failure_ = fmt::format("a session ended: {}", name(closed.reason));
}

}  // namespace qsp::bench
