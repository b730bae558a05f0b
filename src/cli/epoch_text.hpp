#pragma once

#include <string>

#include "qsp/channel.hpp"

namespace qsp::cli {

/// One line for a log about an epoch: what is in its key, and what it carried. Never key bytes.
std::string describe(const EpochStatus& epoch);

/// "QSP 1.0 with bob: X25519MLKEM768, ML-DSA-65 here, ML-DSA-65 there, AES-256-GCM, QKD mixed in".
std::string describe(const ChannelStatus& status);

/// What either end says in every epoch of a session for which status.without_qkd holds.
std::string without_qkd_warning(const ChannelStatus& status);

}  // namespace qsp::cli
