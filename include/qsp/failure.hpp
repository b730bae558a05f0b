#pragma once

#include <string>

#include "qsp/error.hpp"

namespace qsp {

/// The Error of a door to the outside, where a static text cannot say enough: which file, which address, and what
/// helps.
struct Failure : Error {
  std::string text;  ///< one line for a person; holds no secret and nothing that a peer wrote
};

}  // namespace qsp
