#pragma once

#include <string>

#include "node/log.hpp"

namespace qsp::cli {

/// A node's log is the program's.
void write_log(node::Level level, const std::string& line);

}  // namespace qsp::cli
