#pragma once

#include <functional>
#include <memory>

#include "cli/client_run.hpp"
#include "cli/redial.hpp"

namespace qsp::cli {

/// Dials until the server has room and keys, for as long as the user said. `without_qkd`: see ClientRun. Returns the
/// last dial; `repeated` is told of each one before it.
std::unique_ptr<ClientRun> dial_until_there(const ClientSetup& common, bool without_qkd, Redial& redial,
                                            const std::function<void(const ClientRun&)>& repeated);

}  // namespace qsp::cli
