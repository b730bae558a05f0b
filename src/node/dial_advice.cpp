#include "node/dial_advice.hpp"

#include <fmt/format.h>

#include <chrono>

#include "keysource/budget.hpp"
#include "node/redial.hpp"
#include "node/session_text.hpp"

namespace qsp::node {
namespace {

/// The peer's close or alert.
std::string explain_refusal(const HandshakeEnd& end) {
  const Reason reason = end.closed.reason;
  if (reason == Reason::QkdUnavailable) {
    return fmt::format("{} refused the session ({}): this end has the key; see the other end's log, its KME or its pad",
                       end.target, close_text(end.closed));
  }
  const bool ends_differ = reason == Reason::HandshakeFailed || reason == Reason::NoCommonSuite;
  return fmt::format("{} refused the session ({}): {}see its log", end.target, close_text(end.closed),
                     ends_differ ? "compare keys, suites and policies of both ends, and " : "");
}

std::string explain_cut(const HandshakeEnd& end) {
  const std::string why = end.transport.empty() ? "" : ": " + end.transport;
  if (!end.profile->danger.empty() && !end.heard_anything) {
    // This profile cannot say it; so it may be the only reason.
    return fmt::format(
        "{} ended the connection during the handshake without a word{}: it is full (try again later), or no qsp server "
        "of profile {} (check the address); see its log",
        end.target, why, end.profile->name);
  }
  return fmt::format("{} ended the connection during the handshake{}: compare {} on both ends, and see its log",
                     end.target, why, end.name(Setting::Profile));
}

std::string explain_late(const HandshakeEnd& end) {
  if (end.out_of_time) {
    return fmt::format("{} did not finish the handshake in the time that {} left{}{}: give it more", end.target,
                       end.name(Setting::RetryFor), end.before.empty() ? "" : "; before that, ", end.before);
  }
  return fmt::format("{} did not finish the handshake in time: check that it is a qsp server of profile {}", end.target,
                     end.profile->name);
}

/// What this end found.
std::string explain_own(const HandshakeEnd& end) {
  const std::string what = close_text(end.closed);
  switch (end.closed.reason) {
    case Reason::QkdUnavailable:
      return fmt::format("no session with {} ({}): see the log above, and this end's KME or pad", end.target, what);
    case Reason::InternalError:
      return fmt::format("no session with {} ({}): this end failed, not the peer: see the log above", end.target, what);
    case Reason::Timeout:
      return explain_late(end);
    case Reason::HandshakeFailed:
    case Reason::NoCommonSuite:
      return fmt::format("the handshake with {} failed ({}): compare keys, suites and policies of both ends",
                         end.target, what);
    case Reason::AeadDecryptFailed:
      return fmt::format("the handshake with {} failed ({}): bytes were altered on the way, or it broke the protocol",
                         end.target, what);
    case Reason::Normal:
      return "interrupted before there was a session";
    case Reason::ProtocolError:
    case Reason::EpochMismatch:
    case Reason::RekeyFailed:
    case Reason::Limit:
      break;
  }
  return fmt::format("{} does not speak profile {} ({}): check the address, and {} on both ends", end.target,
                     end.profile->name, what, end.name(Setting::Profile));
}

}  // namespace

std::string explain_handshake(const HandshakeEnd& end) {
  if (end.server_is_full) {
    return fmt::format("{} is full: it has no room for another session now (try again later, or see its log)",
                       end.target);
  }
  if (end.foreign) {
    return fmt::format("{} is {} {} server, not a qsp server: check the address", end.target, end.foreign->article,
                       end.foreign->name);
  }
  if (is_spent_budget(end.closed)) return explain_spent_budget(end.target, end.closed);
  if (end.closed.by_peer) return explain_refusal(end);
  if (end.closed.reason == Reason::QkdUnavailable) return explain_own(end);
  if (!end.stranger.empty()) {
    return fmt::format("the handshake with {} failed ({}): {}", end.target, name(end.closed.reason), end.stranger);
  }
  return end.cut_off ? explain_cut(end) : explain_own(end);
}

std::string explain_spent_budget(std::string_view target, const Closed& handshake) {
  constexpr auto kOneKey = std::chrono::duration_cast<std::chrono::seconds>(keysource::QkdBudget::kRefill);
  return fmt::format(
      "{}'s budget of QKD keys is spent{} (LIMIT: {} handshakes at once, then one every {} s): wait {} s and connect "
      "again",
      handshake.by_peer ? target : "this end", handshake.by_peer ? ", or it has no room now" : "",
      keysource::QkdBudget::kFetches, kOneKey.count(), kOneKey.count());
}

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

}  // namespace qsp::node
