#pragma once

#include <memory>

#include "cli/client_run.hpp"
#include "cli/redial.hpp"

namespace qsp::cli {

/// Dials until the server has room and keys, for as long as the user said; a signal in a pause ends the process.
/// `without_qkd`: see ClientRun. Returns the last dial.
std::unique_ptr<ClientRun> dial_until_there(const ClientSetup& common, bool without_qkd, Redial& redial);

}  // namespace qsp::cli
