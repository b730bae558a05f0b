#include "cli/client_explain.hpp"

#include <fmt/format.h>

#include "cli/client_advice.hpp"
#include "cli/close_text.hpp"
#include "cli/qkd_budget.hpp"
#include "cli/text.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

/// Whom the server said it is, where that is not who was dialled.
std::string stranger(const ClientRun& run) {
  const auto presented = run.client ? run.client->endpoint().presented() : std::nullopt;
  return presented ? run.common.setup.describe_stranger(*presented) : std::string();
}

/// The connection went away under a session that was established: killed, cut or reset, all the same from here.
std::string connection_lost(const std::string& transport) {
  return fmt::format("connection lost{}{}", transport.empty() ? "" : ": ", transport);
}

std::string explain_handshake(const ClientRun& run, const Closed& closed) {
  const auto& common = run.common;
  return explain_handshake(
      HandshakeEnd{.target = net::to_string(common.target),
                   .profile = &common.profile(),
                   .closed = closed,
                   .server_is_full = server_is_full(run),
                   .foreign = run.client->foreign(),
                   .stranger = closed.by_peer ? std::string() : stranger(run),
                   .cut_off = run.client->cut_off(),
                   .heard_anything = run.client->heard_anything(),
                   .out_of_time = run.out_of_time,
                   .before = run.before,
                   .transport = common.check_echo ? run.report.transport : run.pipe_report.transport});
}

/// Where there was no connection, or a signal ended its handshake.
std::optional<std::string> explain_early(const ClientRun& run) {
  const auto& closed = run.closed();
  const bool ended_here = !closed || (closed->reason == Reason::Normal && !closed->by_peer);
  if (run.interrupted && ended_here && !(run.client && run.client->established())) {
    return "interrupted before there was a session";
  }
  if (run.failure.empty()) return std::nullopt;
  return run.before.empty() ? run.failure : fmt::format("{}; before that, {}", run.failure, run.before);
}

/// Where the echo is checked.
std::optional<std::string> explain_echo(const ClientRun& run) {
  const EchoReport& report = run.report;
  if (const auto early = explain_early(run)) return early;
  if (!report.local_failure.empty()) return report.local_failure;
  if (!report.closed) return "the connection failed before it began";
  const Closed& closed = *report.closed;
  const std::string missing = fmt::format("{} bytes were not echoed", text::grouped(report.missing_bytes));
  if (run.interrupted && closed.reason == Reason::Normal && !closed.by_peer) {
    if (report.missing_bytes == 0) return std::nullopt;
    return fmt::format("interrupted: {}", missing);
  }
  if (!report.established) return explain_handshake(run, closed);
  if (closed.by_peer && closed.reason != Reason::Normal) {
    return fmt::format("the peer closed the session ({}); {}", close_text(closed), missing);
  }
  if (closed.by_peer && (!report.input_done || report.missing_bytes != 0)) {
    return fmt::format("the peer closed the session ({}) before all was sent and echoed; {}", close_text(closed),
                       missing);
  }
  if (run.client->cut_off()) {
    return fmt::format("{}: what came is {}incomplete; {}: connect again", connection_lost(report.transport),
                       run.common.profile().danger.empty() ? "genuine but " : "", missing);
  }
  if (closed.reason != Reason::Normal) {
    return fmt::format("the session failed ({}); {}: {}", close_text(closed), missing, session_advice(closed.reason));
  }
  return std::nullopt;
}

/// A pipe, whose peer need not echo anything.
std::optional<std::string> explain_pipe(const ClientRun& run) {
  const PipeClientReport& report = run.pipe_report;
  if (const auto early = explain_early(run)) return early;
  if (run.pipe && !run.pipe->report().failure.empty()) return run.pipe->report().failure;
  if (!report.closed) return "the connection failed before it began";
  const Closed& closed = *report.closed;
  if (!report.established) return explain_handshake(run, closed);
  if (run.interrupted) return "interrupted: the peer may have more data";
  if (run.client->cut_off()) {
    return fmt::format("{}: {}", connection_lost(report.transport),
                       closed.truncated ? "what came is genuine but incomplete"
                       : run.pipe->report().input_sent
                           ? "what came is complete, but the peer may lack some of the input"
                           : "what came is complete, but not all of the input was sent");
  }
  const std::string how = closed.by_peer ? "the peer closed the session" : "the session ended";
  if (closed.reason == Reason::Normal && !closed.truncated) {
    if (run.pipe->report().input_sent) return std::nullopt;
    return fmt::format("{} ({}) before all was sent: what came is complete", how, close_text(closed));
  }
  return fmt::format("{} ({}){}{}: what came is genuine{}", how, close_text(closed),
                     report.transport.empty() ? "" : ": ", report.transport,
                     closed.truncated ? ", but not complete" : "");
}

}  // namespace

bool server_is_full(const ClientRun& run) {
  const auto& closed = run.closed();
  return run.client && closed && closed->by_peer && closed->reason == Reason::Limit && !run.client->established() &&
         !run.client->asked_for_key();
}

bool budget_is_spent(const ClientRun& run) {
  const auto& closed = run.closed();
  return run.client && closed && !run.client->established() && is_spent_budget(*closed) && !server_is_full(run);
}

std::optional<std::string> explain(const ClientRun& run) {
  return run.common.check_echo ? explain_echo(run) : explain_pipe(run);
}

}  // namespace qsp::cli
