#include "cli/epoch_text.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/text.hpp"
#include "qsp/suites.hpp"
#include "text/escape.hpp"
#include "text/units.hpp"

namespace qsp::cli {

std::string describe(const EpochStatus& epoch) {
  return fmt::format(
      "epoch {}: {}{}; {} frames ({} bytes) out, {} ({}) in{}", epoch.epoch, epoch.kem ? "fresh KEM key" : "no KEM key",
      epoch.key_id ? fmt::format(", QKD key {}", text::terminal_escape(*epoch.key_id)) : ", no QKD key",
      text::grouped(epoch.frames_sent), text::grouped(epoch.bytes_sent), text::grouped(epoch.frames_received),
      text::grouped(epoch.bytes_received), epoch.confirmed == Instant{} ? "; not confirmed by the peer" : "");
}

std::string describe(const ChannelStatus& status) {
  return fmt::format("QSP 1.0 with {}: {}, {} here, {} there, {}, {}", text::terminal_escape(status.peer),
                     info(status.kem).name, info(status.local_signature).name, info(status.peer_signature).name,
                     info(status.aead).name,
                     status.qkd_mixed     ? "QKD mixed in"
                     : status.without_qkd ? "WITHOUT QKD, which is preferred here"
                                          : "no QKD");
}

std::string without_qkd_warning(const ChannelStatus& status) {
  return fmt::format("epoch {} is WITHOUT a QKD key, which is preferred here", status.current.epoch);
}

std::vector<EpochStatus> epochs_over(const ChannelStatus& status, bool ended) {
  std::vector<EpochStatus> over;
  const bool previous_told = ended && status.current.confirmed != Instant{};
  if (status.previous && !previous_told) over.push_back(*status.previous);
  if (ended) over.push_back(status.current);
  return over;
}

void log_epochs_over(const ChannelStatus& status, bool ended) {
  for (const EpochStatus& epoch : epochs_over(status, ended)) spdlog::info("{}", describe(epoch));
  if (!ended && status.without_qkd) spdlog::warn("{}", without_qkd_warning(status));
}

void log_established(const ChannelStatus& status) {
  spdlog::info("{}", describe(status));
  if (status.without_qkd) spdlog::warn("{}", without_qkd_warning(status));
}

}  // namespace qsp::cli
