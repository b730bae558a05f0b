#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

/// What the options of all verbs have in common: how times and sizes are written, and how help ends.
namespace qsp::cli {

/// For Option::check. Takes what parse_time takes, a plain number in units of `unit`, within these bounds; the
/// option's variable gets the number of units.
Check is_time(std::chrono::nanoseconds least, std::chrono::nanoseconds most,
              std::chrono::nanoseconds unit = std::chrono::seconds(1));
/// What such an option took, where its unit is a second.
std::chrono::nanoseconds from_seconds(double seconds);
/// The same for parse_size and bytes.
Check is_size(std::uint64_t least, std::uint64_t most);

/// What help says below the options.
struct Help {
  std::string notes = {};  ///< may be empty
  std::vector<std::string> examples;
  std::string_view done = "done";                                           ///< exit code 0
  std::string_view failed = "failed: one line on standard error says why";  ///< exit code 1
};
void set_help(Command& verb, const Help& help);

}  // namespace qsp::cli
