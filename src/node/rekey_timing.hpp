#pragma once

#include <expected>

#include "node/end_config.hpp"
#include "node/rekey_pace.hpp"

namespace qsp::node {

/// When sessions change keys, and how that follows what the KME has left.
struct RekeyTiming {
  RekeyPolicy policy;
  RekeyPace pace;
};

/// Error: a maximum that no epoch's hard life leaves room for, or settings of a KME without one. What a session itself
/// refuses of a policy is left to it.
std::expected<RekeyTiming, Refused> rekey_timing(const EndConfig& config);

}  // namespace qsp::node
