#include "cli/epoch_text.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"
#include "qsp/suites.hpp"

namespace qsp::cli {

std::string describe(const EpochStatus& epoch) {
  return fmt::format(
      "epoch {}: {}{}; {} frames ({} bytes) out, {} ({}) in", epoch.epoch, epoch.kem ? "fresh KEM key" : "no KEM key",
      epoch.key_id ? fmt::format(", QKD key {}", escape(*epoch.key_id)) : ", no QKD key", grouped(epoch.frames_sent),
      grouped(epoch.bytes_sent), grouped(epoch.frames_received), grouped(epoch.bytes_received));
}

std::string describe(const ChannelStatus& status) {
  return fmt::format("QSP 1.0 with {}: {}, {} here, {} there, {}, {}", escape(status.peer), info(status.kem).name,
                     info(status.local_signature).name, info(status.peer_signature).name, info(status.aead).name,
                     status.qkd_mixed     ? "QKD mixed in"
                     : status.without_qkd ? "WITHOUT QKD, which is preferred here"
                                          : "no QKD");
}

std::string without_qkd_warning(const ChannelStatus& status) {
  return fmt::format("epoch {} is WITHOUT a QKD key, which is preferred here", status.current.epoch);
}

}  // namespace qsp::cli
