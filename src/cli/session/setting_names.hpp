#pragma once

#include <string_view>

#include "node/setting.hpp"

namespace qsp::cli {

/// The option that a node's setting comes from.
std::string_view option_name(node::Setting setting) noexcept;

}  // namespace qsp::cli
