#pragma once

#include <optional>
#include <string>

#include "cli/client_run.hpp"

/// Why a dial of `qsp connect` came to nothing, or its session to a bad end.
namespace qsp::cli {

/// Whether the server said that it has no room (SPEC §5.8). It takes from a budget of QKD keys only once this end has
/// named a key; from then on LIMIT is taken for a spent budget, which is waited for longer.
bool server_is_full(const ClientRun& run);
/// Whether a budget of QKD keys, this end's or the server's, is spent.
bool budget_is_spent(const ClientRun& run);

/// Why the run failed, in one line that says what to do; nothing if it did not.
std::optional<std::string> explain(const ClientRun& run);

}  // namespace qsp::cli
