#include "node/event_log.hpp"

#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <utility>

#include "net/descriptor_limit.hpp"
#include "node/session_text.hpp"
#include "text/escape.hpp"

namespace qsp::node {
namespace {

std::string id_of(const SessionView& session) { return fmt::format("{:016x}", session.id); }

/// In the words of a log: a peer that was killed broke no protocol.
std::string how(const SessionView& session, const Closed& closed) {
  if (session.cut_off) {
    const bool genuine = session.status.has_value();
    return fmt::format("closed: connection lost, what came is {}{}", genuine ? "genuine " : "",
                       closed.truncated ? (genuine ? "but incomplete (truncated)" : "incomplete (truncated)")
                                        : (genuine ? "and complete" : "complete"));
  }
  return fmt::format("closed{}: {}{}", closed.by_peer ? " by the peer" : "", close_text(closed),
                     closed.truncated ? ", truncated" : "");
}

/// The event also says whose the session is and what is in the keys of its epoch.
boost::json::object event_of(std::string_view event, const SessionView& session) {
  boost::json::object object{{"event", event},
                             {"session_id", id_of(session)},
                             {"address", net::to_string(session.address)},
                             {"epoch", session.epoch}};
  if (!session.status) return object;
  const ChannelStatus& status = *session.status;
  object["peer"] = status.peer;
  object["name"] = status.peer;  // what "peer" was called before; goes with the next version
  object["kem_key"] = status.current.kem;
  object["key_id"] = status.current.key_id ? boost::json::value(*status.current.key_id) : boost::json::value(nullptr);
  return object;
}

boost::json::object json_of(const Libraries& libraries) {
  return {{"kem", libraries.kem},
          {"local_signature", libraries.local_signature},
          {"peer_signature", libraries.peer_signature},
          {"aead", libraries.aead}};
}

}  // namespace

/// Each epoch once, when it is over.
void EventLog::tell_epochs(const SessionView& session, bool ended) const {
  if (!session.status) return;
  for (const EpochStatus& epoch : epochs_over(*session.status, ended)) {
    log_.info("session {} {}", id_of(session), describe(epoch));
  }
}

/// A "preferred" session that runs without QKD says so in every epoch.
void EventLog::warn_without_qkd(const SessionView& session) const {
  if (!session.status || !session.status->without_qkd) return;
  log_.warn("session {} {}", id_of(session), without_qkd_warning(*session.status));
}

void EventLog::established(const SessionView& session) {
  log_.info("session {} of {} established{}{}", id_of(session), net::to_string(session.address),
            session.status ? ": " : "", session.status ? describe(*session.status) : "");
  if (session.status) log_.debug("session {}: {}", id_of(session), describe(session.status->libraries));
  warn_without_qkd(session);
  if (!event_) return;
  boost::json::object event = event_of("established", session);
  if (session.status) event["libraries"] = json_of(session.status->libraries);
  event_(event);
}

void EventLog::rekeyed(const SessionView& session) {
  log_.debug("session {} sends in epoch {}", id_of(session), session.epoch);
  tell_epochs(session, false);
  warn_without_qkd(session);
  if (event_) event_(event_of("rekeyed", session));
}

void EventLog::closed(const SessionView& session, const Closed& closed, const std::string& transport) {
  const bool clean = closed.reason == Reason::Normal && !closed.truncated;
  tell_epochs(session, true);
  const std::string line =
      fmt::format("session {} of {} {}{}{}; {} bytes in, {} out", id_of(session), net::to_string(session.address),
                  how(session, closed), transport.empty() ? "" : ", ", transport, session.traffic.received_bytes,
                  session.traffic.sent_bytes);
  if (clean) {
    log_.info("{}", line);
  } else {
    log_.warn("{}", line);
  }
  if (!event_) return;
  boost::json::object event = event_of("closed", session);
  event["established"] = true;
  event["reason"] = name(closed.reason);
  event["text"] = text::terminal_escape(closed.text);
  event["by_peer"] = closed.by_peer;
  event["truncated"] = closed.truncated;
  event["received_bytes"] = session.traffic.received_bytes;
  event["sent_bytes"] = session.traffic.sent_bytes;
  event_(event);
}

void EventLog::refused(net::Refusal why, std::uint64_t count, const net::tcp::endpoint& last) {
  const bool displaced = net::is_displacement(why);
  log_.warn("{} {} connection{}{}: {}; the last from {}", displaced ? "closed" : "refused", count,
            count == 1 ? "" : "s", displaced ? " for others" : "", net::describe(why), net::to_string(last));
  if (event_) {
    event_({{"event", "refused"}, {"why", net::describe(why)}, {"count", count}, {"address", net::to_string(last)}});
  }
}

void EventLog::strangers(const net::Tally::Told& told) {
  if (told.count == 1) {
    log_.warn("connection of {} closed before it was a session: {}{}", net::to_string(told.last),
              text::terminal_escape(told.kind), told.detail);
  } else {
    log_.warn("{} more connections closed before they were sessions: {}; the last of {}{}", told.count,
              text::terminal_escape(told.kind), net::to_string(told.last), told.detail);
  }
  if (event_) {
    event_({{"event", "strangers"},
            {"why", text::terminal_escape(told.kind) + told.detail},
            {"count", told.count},
            {"address", net::to_string(told.last)}});
  }
}

void EventLog::accept_failed(const std::string& why) {
  log_.error("cannot accept connections: {}; trying again until it works (the limit is {} open files: ulimit -n)", why,
             net::descriptor_limit());
  if (event_) event_({{"event", "accept_failed"}, {"why", why}});
}

void EventLog::reloaded(const std::expected<Reloader::Done, std::string>& done) {
  if (!done) {
    log_.error("reload failed, and everything stays as it was: {}", done.error());
    if (event_) event_({{"event", "reload_failed"}, {"why", done.error()}});
    return;
  }
  log_.info("reloaded: {}; {} session{} closed", done->changes, done->closed, done->closed == 1 ? "" : "s");
  if (event_) event_({{"event", "reloaded"}, {"changes", done->changes}, {"closed", done->closed}});
}

}  // namespace qsp::node
