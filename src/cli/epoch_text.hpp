#pragma once

#include <string>
#include <vector>

#include "qsp/channel.hpp"

namespace qsp::cli {

/// One line for a log about an epoch: what is in its key, and what it carried. Never key bytes.
std::string describe(const EpochStatus& epoch);

/// The epochs that are over and were not told before, oldest first: `ended` is false at EpochChanged, true once the
/// session is closed. Told at these two places, each epoch of a session comes exactly once.
///
/// An epoch is over when the next one has begun in both directions, for its counts are final then, or with the session.
/// One that a client has begun with its ACK, and no DONE confirmed, does not end the one before until the session ends.
std::vector<EpochStatus> epochs_over(const ChannelStatus& status, bool ended);

/// Logs them at a client's end, where there is one session.
void log_epochs_over(const ChannelStatus& status, bool ended);
/// Logs what was agreed, where a client's session is established.
void log_established(const ChannelStatus& status);

/// "QSP 1.0 with bob: X25519MLKEM768, ML-DSA-65 here, ML-DSA-65 there, AES-256-GCM, QKD mixed in".
std::string describe(const ChannelStatus& status);

/// What either end says in every epoch of a session for which status.without_qkd holds.
std::string without_qkd_warning(const ChannelStatus& status);

}  // namespace qsp::cli
