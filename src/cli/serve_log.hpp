#pragma once

#include <functional>
#include <string>
#include <utility>

#include "node/node.hpp"

namespace qsp::cli {

/// Writes a node's log, and with --json its events as lines of JSON.
class ServeLog final : public node::NodeEvents {
 public:
  explicit ServeLog(bool json) : json_(json) {}
  /// `action` is called where the node has stopped serving. Set it before that.
  void when_sessions_over(std::function<void()> action) { when_over_ = std::move(action); }

  void warning(const std::string& text) override;
  void log(node::Level level, const std::string& line) override;
  void established(const node::SessionView& session) override;
  void rekeyed(const node::SessionView& session) override;
  void closed(const node::SessionView& session, const Closed& closed, const std::string& transport) override;
  void refused(net::Refusal why, std::uint64_t count, const net::tcp::endpoint& last) override;
  void strangers(const net::Tally::Told& told) override;
  void accept_failed(const std::string& why) override;
  void reloaded(const std::expected<node::Reloader::Done, std::string>& done) override;
  void sessions_over() override {
    if (when_over_) when_over_();
  }

 private:
  bool json_;
  std::function<void()> when_over_;
};

}  // namespace qsp::cli
