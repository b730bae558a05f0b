#pragma once

#include <string>

#include "qsp/endpoint.hpp"

namespace qsp::cli {

/// Why a session ended, for a log: "TIMEOUT: text". Where the peer says "this end", that is the other end here.
std::string close_text(const Closed& closed);

}  // namespace qsp::cli
