#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "net/process_groups.hpp"
#include "net/server.hpp"
#include "node/application.hpp"
#include "node/local_end.hpp"
#include "node/log.hpp"

namespace qsp::node {

/// A connection that a node accepted, as its factory sees it.
class Accepted {
 public:
  virtual ~Accepted() = default;
  /// Closes it, with the reason for the peer, where its session is established and may not go on. True where it did.
  virtual bool close_unwanted() = 0;
};

/// Makes the connections of one of a node's threads, and knows those that live. How they are made can be replaced.
class ConnectionFactory final : public net::SessionFactory {
 public:
  /// `end`, `application` and `groups` outlive it. `groups`: of the commands, where the application runs some.
  ConnectionFactory(const LocalEnd& end, std::unique_ptr<EndpointFactory> endpoints, const Application& application,
                    net::ProcessGroups* groups, Log log)
      : end_(end), endpoints_(std::move(endpoints)), application_(application), groups_(groups), log_(std::move(log)) {}

  Result<net::ConnectionPtr> make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                  net::ConnectionOwner& owner) override;
  /// rc155 has no word for it.
  [[nodiscard]] Bytes full_alert() const noexcept override;
  /// From any thread: what comes from now on is made by these; those of before whose peer has lost its place are
  /// closed, soon. `done` is called once that is so, on whatever thread, with how many there were.
  void renew(std::unique_ptr<EndpointFactory> endpoints, std::function<void(std::uint64_t closed)> done);

  // By a connection, on the thread.
  void enter(Accepted& connection) { live_.insert(&connection); }
  void leave(Accepted& connection) { live_.erase(&connection); }

 private:
  template <class Connection, class... Arguments>
  net::ConnectionPtr start(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                           std::unique_ptr<Endpoint> endpoint, net::ConnectionOwner& owner, Arguments&&... arguments);
  /// Goes over to what renew() left, if it did.
  void go_over();
  std::uint64_t close_unwanted();

  const LocalEnd& end_;
  std::shared_ptr<EndpointFactory> endpoints_;
  const Application& application_;
  net::ProcessGroups* groups_;
  Log log_;
  std::unordered_set<Accepted*> live_;

  std::mutex mutex_;           ///< of what follows
  net::Loop* loop_ = nullptr;  ///< null: no connection was ever made
  std::unique_ptr<EndpointFactory> next_;
};

}  // namespace qsp::node
