#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <functional>
#include <string>
#include <utility>

#include "node/node.hpp"

namespace qsp::node {

/// What a node tells, as lines of a log and as events in JSON.
class EventLog : public NodeEvents {
 public:
  using EventSink = std::function<void(const boost::json::object&)>;
  /// Both are called from any of the node's threads. `event` may be null: nobody wants them.
  EventLog(Log::Sink write, EventSink event) : log_(write), line_(std::move(write)), event_(std::move(event)) {}

  void log(Level level, const std::string& line) override { line_(level, line); }
  void established(const SessionView& session) override;
  void rekeyed(const SessionView& session) override;
  void closed(const SessionView& session, const Closed& closed, const std::string& transport) override;
  void refused(net::Refusal why, std::uint64_t count, const net::tcp::endpoint& last) override;
  void strangers(const net::Tally::Told& told) override;
  void accept_failed(const std::string& why) override;
  void reloaded(const std::expected<Reloader::Done, std::string>& done) override;

 private:
  void tell_epochs(const SessionView& session, bool ended) const;
  void warn_without_qkd(const SessionView& session) const;

  Log log_;
  Log::Sink line_;
  EventSink event_;
};

}  // namespace qsp::node
