#include "cli/client_explain.hpp"

#include <fmt/format.h>

#include <string_view>

#include "cli/close_text.hpp"
#include "cli/qkd_budget.hpp"
#include "cli/text.hpp"

namespace qsp::cli {
namespace {

/// Whom the server said it is, where that is not who was dialled.
std::string stranger(const ClientRun& run) {
  const auto* const channel = run.client ? dynamic_cast<const Channel*>(&run.client->endpoint()) : nullptr;
  const auto presented = channel != nullptr ? channel->presented() : std::nullopt;
  return presented ? run.common.setup.describe_stranger(*presented) : std::string();
}

/// The connection went away under a session that was established: killed, cut or reset, all the same from here.
std::string connection_lost(const std::string& transport) {
  return fmt::format("connection lost{}{}", transport.empty() ? "" : ": ", transport);
}

/// The server said why, as far as it may.
std::string explain_refusal(const ClientRun& run, const Closed& closed) {
  const std::string target = net::to_string(run.common.target);
  if (server_is_full(run)) {
    return fmt::format("{} is full: it has no room for another session now (try again later, or see its log)", target);
  }
  if (is_spent_budget(closed)) return explain_spent_budget(target, closed);
  if (closed.reason == Reason::QkdUnavailable) {
    return fmt::format("{} refused the session ({}): this end has the key; see the other end's log, its KME or its pad",
                       target, close_text(closed));
  }
  const bool ends_differ = closed.reason == Reason::HandshakeFailed || closed.reason == Reason::NoCommonSuite;
  return fmt::format("{} refused the session ({}): {}see its log", target, close_text(closed),
                     ends_differ ? "compare keys, suites and policies of both ends, and " : "");
}

std::string explain_cut_off(const ClientRun& run) {
  const std::string target = net::to_string(run.common.target);
  const std::string& transport = run.common.check_echo ? run.report.transport : run.pipe_report.transport;
  if (!run.common.profile().danger.empty() && !run.client->heard_anything()) {
    // This profile cannot say it; so it may be the only reason.
    return fmt::format(
        "{} ended the connection during the handshake without a word{}{}: it is full (try again later), or no qsp "
        "server of profile {} "
        "(check the address); see its log",
        target, transport.empty() ? "" : ": ", transport, run.common.profile().name);
  }
  return fmt::format(
      "{} ended the connection during the handshake{}{}: compare --profile on both ends, and see its log", target,
      transport.empty() ? "" : ": ", transport);
}

std::string explain_late(const ClientRun& run) {
  const std::string target = net::to_string(run.common.target);
  if (run.out_of_time) {
    return fmt::format("{} did not finish the handshake in the time that --retry-for left{}{}: give it more", target,
                       run.before.empty() ? "" : "; before that, ", run.before);
  }
  return fmt::format("{} did not finish the handshake in time: check that it is a qsp server of profile {}", target,
                     run.common.profile().name);
}

std::string explain_handshake(const ClientRun& run, const Closed& closed) {
  const std::string target = net::to_string(run.common.target);
  if (const auto& foreign = run.client->foreign()) {
    return fmt::format("{} is {} {} server, not a qsp server: check the address", target, foreign->article,
                       foreign->name);
  }
  if (closed.by_peer) return explain_refusal(run, closed);
  if (is_spent_budget(closed)) return explain_spent_budget(target, closed);
  if (closed.reason == Reason::QkdUnavailable) {
    return fmt::format("no session with {} ({}): see the log above, and this end's KME or pad", target,
                       close_text(closed));
  }
  if (const std::string wrong = stranger(run); !wrong.empty()) {
    return fmt::format("the handshake with {} failed ({}): {}", target, name(closed.reason), wrong);
  }
  if (run.client->cut_off()) return explain_cut_off(run);
  if (closed.reason == Reason::Timeout) return explain_late(run);
  if (closed.reason == Reason::InternalError) {
    return fmt::format("no session with {} ({}): this end failed, not the peer: see the log above", target,
                       close_text(closed));
  }
  if (closed.reason != Reason::ProtocolError) {
    return fmt::format("the handshake with {} failed ({}): compare keys, suites and policies of both ends", target,
                       close_text(closed));
  }
  return fmt::format("{} does not speak profile {} ({}): check the address, and --profile on both ends", target,
                     run.common.profile().name, close_text(closed));
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

/// What to do about a session that this end gave up.
std::string_view session_advice(Reason reason) noexcept {
  switch (reason) {
    case Reason::QkdUnavailable:
      return "see the log above, and the KMEs or pads of both ends";
    case Reason::Limit:
      return "connect again";
    case Reason::Timeout:
      return "whoever reads what came was too slow, or the network is";
    case Reason::InternalError:
      return "this end failed, not the peer: see the log above";
    case Reason::Normal:
    case Reason::ProtocolError:
    case Reason::AeadDecryptFailed:
    case Reason::EpochMismatch:
    case Reason::RekeyFailed:
    case Reason::HandshakeFailed:
    case Reason::NoCommonSuite:
      break;
  }
  return "the peer broke the protocol, or bytes were altered on the way";
}

/// Where the echo is checked.
std::optional<std::string> explain_echo(const ClientRun& run) {
  const EchoReport& report = run.report;
  if (const auto early = explain_early(run)) return early;
  if (!report.local_failure.empty()) return report.local_failure;
  if (!report.closed) return "the connection failed before it began";
  const Closed& closed = *report.closed;
  const std::string missing = fmt::format("{} bytes were not echoed", grouped(report.missing_bytes));
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
