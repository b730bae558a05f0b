#pragma once

#include <string>
#include <string_view>

#include "qsp/endpoint.hpp"

/// The budget of QKD fetches (SPEC §5.7) in words.
namespace qsp::cli {

/// A sentence for help texts.
inline constexpr std::string_view kBudgetHelp =
    "With QKD, each end may fetch 10 keys for a peer at once, and then one every 10 s. A handshake takes one, and so\n"
    "does a rekey.";

/// Why a handshake with `target` ended for a spent budget, or where the peer may mean that it has no room; and how long
/// to wait. Precondition: node::is_spent_budget(handshake).
std::string explain_spent_budget(std::string_view target, const Closed& handshake);

}  // namespace qsp::cli
