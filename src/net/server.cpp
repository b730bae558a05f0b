#include "net/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "net/server_parts.hpp"

namespace qsp::net {

Server::Server(const ListenOptions& options) : options_(options) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>, std::string> Server::open(const ListenOptions& options,
                                                          const MakeSessionFactory& make_factory,
                                                          ServerEvents& events) try {
  std::unique_ptr<Server> server(new Server(options));
  for (std::size_t i = 0; i < std::clamp<std::size_t>(options.threads, 1, kMaxThreads); ++i) {
    Result<std::unique_ptr<SessionFactory>, std::string> factory = make_factory();
    if (!factory) return std::unexpected(factory.error());
    server->shards_.push_back(std::make_unique<Shard>(std::move(*factory), events, options.first_frame_timeout));
  }
  Result<std::vector<Acceptor>, std::string> acceptors =
      listen_all(server->shards_.front()->loop().executor(), options.listen);
  if (!acceptors) return std::unexpected(acceptors.error());
  server->listener_ = std::make_unique<Listener>(*server, std::move(*acceptors), events);
  for (const std::unique_ptr<Shard>& shard : server->shards_) shard->set_listener(*server->listener_);
  return server;
} catch (const std::runtime_error& failed) {  // Asio makes its epoll descriptors in constructors
  return std::unexpected(fmt::format("cannot start: {} (see: ulimit -n)", failed.what()));
}

tcp::endpoint Server::local_endpoint() const {
  error_code ignored;  // an open acceptor has an address
  return listener_->first().local_endpoint(ignored);
}

Loop& Server::loop() noexcept { return shards_.front()->loop(); }

std::size_t Server::sessions() const noexcept { return listener_->admission().sessions(); }

Result<void, std::string> Server::run() {
  listener_->start();
  std::vector<std::jthread> threads;
  try {
    for (std::size_t i = 1; i < shards_.size(); ++i) {
      threads.emplace_back([&loop = shards_[i]->loop()] { loop.run(); });
    }
  } catch (const std::system_error& failed) {
    for (const std::unique_ptr<Shard>& shard : shards_) shard->loop().io().stop();
    return std::unexpected(fmt::format("cannot start {} threads: {}", shards_.size(), failed.what()));
  }
  shards_.front()->loop().run();
  return {};
}

void Server::stop() {
  asio::post(loop().executor(), [listener = listener_.get()] { listener->stop(); });
}

}  // namespace qsp::net
