#pragma once

#include <optional>
#include <string>

#include "node/dial_report.hpp"
#include "node/profile.hpp"

/// Why a dial of `qsp connect` came to nothing, or its session to a bad end.
namespace qsp::cli {

/// What was dialled, and what for.
struct Dialled {
  std::string target;            ///< for people
  const node::Profile& profile;  ///< outlives it
  bool check_echo;               ///< compare what comes back, or else be a pipe
};

/// Why the dial failed, in one line that says what to do; nothing if it did not.
std::optional<std::string> explain(const node::DialReport& report, const Dialled& dialled);

}  // namespace qsp::cli
