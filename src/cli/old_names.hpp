#pragma once

#include <string_view>

namespace qsp::cli {

/// An option that has another name now. The old one goes on for one version.
struct OldName {
  std::string_view verb;  ///< its words, such as "qsp kme check"; empty: any
  std::string_view old, now;
  std::string_view unit;     ///< of a number that the old one took
  bool also_a_name = false;  ///< both stay, and nobody is warned
};

/// What became of this option of this verb; null: it never had another name.
const OldName* find_old_name(std::string_view verb, std::string_view option);

}  // namespace qsp::cli
