#pragma once

#include <string>
#include <string_view>

#include "config/value.hpp"
#include "files/file.hpp"

/// The only door to the TOML parser, whose headers take seconds to compile.
namespace qsp::config {

/// How deep values may stand in each other.
inline constexpr std::size_t kMaxDepth = 16;
/// How many dots a line may have, other than one that is a comment: each may open a table in a table.
inline constexpr std::size_t kMaxDots = 100;

/// The members of a file's root. Names that are there twice are refused, as TOML wants it.
/// Error: "FILE:LINE:COLUMN: not TOML: why", without control characters.
files::OrText<Members> parse_toml(const std::string& file, std::string_view text);

/// "FILE:LINE:COLUMN", as every error about a place in a file begins.
std::string at(const std::string& file, Place place);

}  // namespace qsp::config
