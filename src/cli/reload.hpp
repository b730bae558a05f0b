#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/sessions.hpp"
#include "net/server.hpp"

namespace qsp::cli {

/// The factory of one thread of a server, whose sessions can be replaced.
class ReloadableFactory : public net::SessionFactory {
 public:
  /// From any thread: what comes from now on is made by these sessions; those of before whose peer has lost its place
  /// are closed, soon. `done` is called once that is so, on whatever thread, with how many there were.
  virtual void renew(std::unique_ptr<Sessions> sessions, std::function<void(std::uint64_t closed)> done) = 0;
};

/// Reads keys and pins anew while a server runs. The reading has a thread of its own: an encrypted key takes a while to
/// open, and no session waits for it. Then each thread of the server goes over to what was read.
class Reloader {
 public:
  /// What came of it: how many sessions were closed and what changed, or why everything stays as it was.
  struct Done {
    std::string changes;
    std::uint64_t closed = 0;
  };
  /// Called on the server's loop.
  using Tell = std::function<void(const std::expected<Done, std::string>&)>;

  /// All arguments outlive the object; the server's loops do not run any more when it goes.
  Reloader(Setup& setup, net::Loop& loop, std::vector<ReloadableFactory*> factories, Tell tell)
      : setup_(setup), loop_(loop), factories_(std::move(factories)), tell_(std::move(tell)) {}

  /// On the server's loop. While one reading is under way, any number of calls makes for one more.
  void reload();

 private:
  void spread(std::expected<Reloaded, std::string> read);
  void finish(const std::expected<Done, std::string>& done);

  Setup& setup_;
  net::Loop& loop_;
  std::vector<ReloadableFactory*> factories_;
  Tell tell_;
  bool running_ = false;
  bool again_ = false;
  std::jthread reading_;
};

}  // namespace qsp::cli
