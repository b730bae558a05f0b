#include "node/dial_explain.hpp"

#include <fmt/format.h>

#include "node/dial_advice.hpp"
#include "node/session_text.hpp"
#include "text/units.hpp"

namespace qsp::node {
namespace {

/// The connection went away under a session that was established: killed, cut or reset, all the same from here.
std::string connection_lost(const std::string& transport) {
  return fmt::format("connection lost{}{}", transport.empty() ? "" : ": ", transport);
}

std::string explain_handshake(const DialReport& report, const Dialled& dialled, const Closed& closed) {
  return explain_handshake(HandshakeEnd{.target = dialled.target,
                                        .profile = &dialled.profile,
                                        .closed = closed,
                                        .server_is_full = report.server_is_full(),
                                        .foreign = report.foreign,
                                        .stranger = closed.by_peer ? std::string() : report.stranger,
                                        .cut_off = report.cut_off,
                                        .heard_anything = report.heard_anything,
                                        .out_of_time = report.out_of_time,
                                        .before = report.before,
                                        .transport = report.transport,
                                        .name = dialled.name});
}

/// Where there was no connection, or a signal ended its handshake.
std::optional<std::string> explain_early(const DialReport& report) {
  const auto& closed = report.closed;
  const bool ended_here = !closed || (closed->reason == Reason::Normal && !closed->by_peer);
  if (report.interrupted && ended_here && !report.established) {
    return "interrupted before there was a session";
  }
  if (report.failure.empty()) return std::nullopt;
  return report.before.empty() ? report.failure : fmt::format("{}; before that, {}", report.failure, report.before);
}

/// Where the echo is checked.
std::optional<std::string> explain_echo(const DialReport& report, const Dialled& dialled) {
  if (const auto early = explain_early(report)) return early;
  if (!report.echo.failure.empty()) return report.echo.failure;
  if (!report.closed) return "the connection failed before it began";
  const Closed& closed = *report.closed;
  const std::string missing = fmt::format("{} bytes were not echoed", text::grouped(report.echo.missing_bytes));
  if (report.interrupted && closed.reason == Reason::Normal && !closed.by_peer) {
    if (report.echo.missing_bytes == 0) return std::nullopt;
    return fmt::format("interrupted: {}", missing);
  }
  if (!report.established) return explain_handshake(report, dialled, closed);
  if (closed.by_peer && closed.reason != Reason::Normal) {
    return fmt::format("the peer closed the session ({}); {}", close_text(closed), missing);
  }
  if (closed.by_peer && (!report.echo.input_done || report.echo.missing_bytes != 0)) {
    return fmt::format("the peer closed the session ({}) before all was sent and echoed; {}", close_text(closed),
                       missing);
  }
  if (report.cut_off) {
    return fmt::format("{}: what came is {}incomplete; {}: connect again", connection_lost(report.transport),
                       dialled.profile.danger.empty() ? "genuine but " : "", missing);
  }
  if (closed.reason != Reason::Normal) {
    return fmt::format("the session failed ({}); {}: {}", close_text(closed), missing, session_advice(closed.reason));
  }
  return std::nullopt;
}

/// A pipe, whose peer need not echo anything.
std::optional<std::string> explain_pipe(const DialReport& report, const Dialled& dialled) {
  if (const auto early = explain_early(report)) return early;
  if (!report.pipe.failure.empty()) return report.pipe.failure;
  if (!report.closed) return "the connection failed before it began";
  const Closed& closed = *report.closed;
  if (!report.established) return explain_handshake(report, dialled, closed);
  if (report.interrupted) return "interrupted: the peer may have more data";
  if (report.cut_off) {
    return fmt::format("{}: {}", connection_lost(report.transport),
                       closed.truncated         ? "what came is genuine but incomplete"
                       : report.pipe.input_sent ? "what came is complete, but the peer may lack some of the input"
                                                : "what came is complete, but not all of the input was sent");
  }
  const std::string how = closed.by_peer ? "the peer closed the session" : "the session ended";
  if (closed.reason == Reason::Normal && !closed.truncated) {
    if (report.pipe.input_sent) return std::nullopt;
    return fmt::format("{} ({}) before all was sent: what came is complete", how, close_text(closed));
  }
  return fmt::format("{} ({}){}{}: what came is genuine{}", how, close_text(closed),
                     report.transport.empty() ? "" : ": ", report.transport,
                     closed.truncated ? ", but not complete" : "");
}

}  // namespace

std::optional<std::string> explain(const DialReport& report, const Dialled& dialled) {
  return dialled.check_echo ? explain_echo(report, dialled) : explain_pipe(report, dialled);
}

}  // namespace qsp::node
