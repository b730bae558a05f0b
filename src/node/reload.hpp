#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/loop.hpp"
#include "node/connection_factory.hpp"
#include "node/local_end.hpp"

namespace qsp::node {

/// Reads keys and pins again while a server runs. It does so on a thread of its own: an encrypted key takes a while to
/// open, and no session waits for it. Then each thread of the server changes to what was read.
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
  Reloader(LocalEnd& end, net::Loop& loop, std::vector<ConnectionFactory*> factories, Tell tell)
      : end_(end), loop_(loop), factories_(std::move(factories)), tell_(std::move(tell)) {}

  /// On the server's loop. While one reading is under way, any number of calls makes for one more.
  void reload();

 private:
  void spread(std::expected<Reloaded, std::string> read);
  void finish(const std::expected<Done, std::string>& done);

  LocalEnd& end_;
  net::Loop& loop_;
  std::vector<ConnectionFactory*> factories_;
  Tell tell_;
  bool running_ = false;
  bool again_ = false;
  std::jthread reading_;
};

}  // namespace qsp::node
