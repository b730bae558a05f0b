#include <algorithm>
#include <span>
#include <vector>

#include "qsp/full_alert.hpp"
#include "wire/frame.hpp"
#include "wire/handshake.hpp"

namespace qsp {

/// SPEC §5.8: "clear ALERT, n = 0, session_id 0, epoch 0", LIMIT, no text.
Bytes full_alert() {
  static const std::vector<std::uint8_t> frame = [] {
    const std::vector<std::uint8_t> message = wire::encode(wire::Alert{.reason = Reason::Limit, .text = {}});
    std::vector<std::uint8_t> bytes(wire::kFrameHeaderSize + message.size());
    wire::encode({.type = wire::FrameType::Handshake, .payload_len = static_cast<std::uint32_t>(message.size())},
                 std::span(bytes).first<wire::kFrameHeaderSize>());
    std::ranges::copy(message, bytes.begin() + wire::kFrameHeaderSize);
    return bytes;
  }();
  return frame;
}

}  // namespace qsp
