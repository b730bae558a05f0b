#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "cli/reload.hpp"
#include "net/address.hpp"
#include "net/process_groups.hpp"

/// The sessions of `qsp serve`, thread by thread.
namespace qsp::cli {

/// What every session of a server does.
struct Application {
  std::uint64_t rekey_after;
  std::string command;
  std::optional<net::Address> forward;
  std::unique_ptr<net::ProcessGroups> groups;  ///< of the commands, where there are any
};

/// A session of a server as its factory sees it.
class Served {
 public:
  virtual ~Served() = default;
  /// Closes it, with the reason for the peer, where it is established and may not go on. True where it did.
  virtual bool close_unwanted() = 0;
};

/// Makes the sessions of one thread, and knows those that live.
class ServedFactory final : public ReloadableFactory {
 public:
  /// `setup` and `application` outlive it.
  ServedFactory(const Setup& setup, std::unique_ptr<Sessions> sessions, const Application& application)
      : setup_(setup), sessions_(std::move(sessions)), application_(application) {}

  Result<net::ConnectionPtr> make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                  net::ConnectionOwner& owner) override;
  void renew(std::unique_ptr<Sessions> sessions, std::function<void(std::uint64_t closed)> done) override;

  // By a session, on the thread.
  void enter(Served& session) { live_.insert(&session); }
  /// What it was made by stays until it is gone altogether.
  void leave(Served& session, std::shared_ptr<Sessions> made_by);

 private:
  template <class Session, class... Arguments>
  net::ConnectionPtr start(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                           std::unique_ptr<Endpoint> endpoint, net::ConnectionOwner& owner, Arguments&&... arguments);
  /// Goes over to the sessions that renew() left, if it did.
  void go_over();
  std::uint64_t close_unwanted();

  const Setup& setup_;
  std::shared_ptr<Sessions> sessions_;
  const Application& application_;
  std::unordered_set<Served*> live_;
  std::vector<std::shared_ptr<Sessions>> left_;  ///< by sessions whose last members may still use them

  std::mutex mutex_;           ///< of what follows
  net::Loop* loop_ = nullptr;  ///< null: no session was ever made
  std::unique_ptr<Sessions> next_;
};

}  // namespace qsp::cli
