#pragma once

#include <string>
#include <vector>

#include "node/log.hpp"
#include "qsp/channel.hpp"

/// Sessions and their epochs in words, for logs. Never key bytes.
namespace qsp::node {

/// Why a session ended: "TIMEOUT: text". Where the peer says "this end", that is the other end here.
std::string close_text(const Closed& closed);

/// One line about an epoch: what is in its key, and what it carried.
std::string describe(const EpochStatus& epoch);

/// The epochs that are over and were not told before, oldest first: `ended` is false at EpochChanged, true once the
/// session is closed. Told at these two places, each epoch of a session comes exactly once.
///
/// An epoch is over when the next one has begun in both directions, for its counts are final then, or with the session.
/// One that a client has begun with its ACK, and no DONE confirmed, does not end the one before until the session ends.
std::vector<EpochStatus> epochs_over(const ChannelStatus& status, bool ended);

/// Logs them at a client's end, where there is one session.
void log_epochs_over(const Log& log, const ChannelStatus& status, bool ended);
/// Logs what was agreed, where a client's session is established.
/// Which cryptographic libraries do the work of a session.
std::string describe(const Libraries& libraries);

void log_established(const Log& log, const ChannelStatus& status);

/// "QSP 1.0 with bob: X25519MLKEM768, ML-DSA-65 here, ML-DSA-65 there, AES-256-GCM, QKD mixed in".
std::string describe(const ChannelStatus& status);

/// What either end says in every epoch of a session for which status.without_qkd holds.
std::string without_qkd_warning(const ChannelStatus& status);

}  // namespace qsp::node
