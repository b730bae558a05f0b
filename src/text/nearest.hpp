#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qsp::text {

/// How many characters must be put in, left out, replaced, or exchanged with their neighbour to make one text the
/// other.
std::size_t edit_distance(std::string_view one, std::string_view other);

/// The name that was most likely meant; nothing where none is near: at most a third of it may be wrong.
std::optional<std::string> nearest(std::string_view typed, const std::vector<std::string>& names);

}  // namespace qsp::text
