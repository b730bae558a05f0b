#pragma once

#include <cstdint>
#include <string>

#include "lab/lab.hpp"

namespace qsp::lab {

/// All that a link, its two stations, two KMEs and two applications need, and a README.md that says how to run them, in
/// a new folder. The first KME listens on `port`; the five ports behind it are taken too. Errors: text.
files::OrText<void> make_e91_lab(const std::string& folder, std::uint16_t port);

}  // namespace qsp::lab
