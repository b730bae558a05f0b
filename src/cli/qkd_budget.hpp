#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "qsp/endpoint.hpp"

/// The budget of QKD fetches (SPEC §5.7), as far as people and a client that dials again have to do with it.
namespace qsp::cli {

/// A sentence for help texts.
inline constexpr std::string_view kBudgetHelp =
    "With QKD each end fetches at most 10 keys for a peer at once, and one more every 10 s: a handshake takes one, a\n"
    "rekey takes one.";

/// Whether it was a spent budget, this end's or the peer's, that ended a handshake in which a key was asked for. The
/// peer may mean by LIMIT that it has no room, too (SPEC §5.8): what helps is the same, and the explanation names both.
bool is_spent_budget(const Closed& handshake) noexcept;

/// Why a handshake with `target` ended so, and how long to wait.
std::string explain_spent_budget(std::string_view target, const Closed& handshake);

/// How long to wait before dial number `dial` after such an end, 1 being the first: one refill, then as SPEC §5.9 has
/// it.
std::chrono::seconds wait_for_budget(unsigned dial) noexcept;

}  // namespace qsp::cli
