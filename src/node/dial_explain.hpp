#pragma once

#include <optional>
#include <string>

#include "node/dial_report.hpp"
#include "node/profile.hpp"
#include "node/setting.hpp"

/// Why a dial came to nothing, or its session to a bad end.
namespace qsp::node {

/// What was dialled, and what for.
struct Dialled {
  std::string target;             ///< for people
  const Profile& profile;         ///< outlives it
  bool check_echo;                ///< compare what comes back, or else be a pipe
  NameSetting name = field_name;  ///< what its user calls the settings
};

/// Why the dial failed, in one line that says what to do; nothing if it did not.
std::optional<std::string> explain(const DialReport& report, const Dialled& dialled);

}  // namespace qsp::node
