#include "node/session_text.hpp"

#include <fmt/format.h>

#include <string_view>

#include "qsp/suites.hpp"
#include "text/escape.hpp"
#include "text/units.hpp"

namespace qsp::node {

std::string close_text(const Closed& closed) {
  constexpr std::string_view kHere = "this end";
  constexpr std::string_view kThere = "the other end";
  std::string text = text::terminal_escape(closed.text);
  if (closed.by_peer) {
    for (std::size_t at = text.find(kHere); at != std::string::npos; at = text.find(kHere, at + kThere.size())) {
      text.replace(at, kHere.size(), kThere);
    }
  }
  return text.empty() ? std::string(name(closed.reason)) : fmt::format("{}: {}", name(closed.reason), text);
}

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

std::string describe(const Libraries& libraries) {
  const auto& [kem, local, peer, aead] = libraries;
  if (kem == local && kem == peer && kem == aead) return fmt::format("cryptography by {}", kem);
  const std::string signatures = local == peer
                                     ? fmt::format("signatures by {}", local)
                                     : fmt::format("the signature here by {}, the one there by {}", local, peer);
  return fmt::format("KEM by {}; {}; AEAD by {}", kem, signatures, aead);
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

void log_epochs_over(const Log& log, const ChannelStatus& status, bool ended) {
  for (const EpochStatus& epoch : epochs_over(status, ended)) log.info("{}", describe(epoch));
  if (!ended && status.without_qkd) log.warn("{}", without_qkd_warning(status));
}

void log_established(const Log& log, const ChannelStatus& status) {
  log.info("{}", describe(status));
  log.debug("{}", describe(status.libraries));
  if (status.without_qkd) log.warn("{}", without_qkd_warning(status));
}

}  // namespace qsp::node
