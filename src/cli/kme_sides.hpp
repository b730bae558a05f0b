#pragma once

#include "cli/kme.hpp"
#include "kme/check/check.hpp"

namespace qsp::cli {

/// The KME and the SAE that ask for keys first, as the options of check and load name them.
kme::check::CheckedSide master_side(const KmeCheckOptions& options);
/// Those at the other end of the link. TLS settings that are not its own are the master's.
kme::check::CheckedSide slave_side(const KmeCheckOptions& options);

}  // namespace qsp::cli
