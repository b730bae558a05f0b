#include "channel/insider.hpp"

#include <algorithm>
#include <array>

namespace qsp::test {
namespace {

using wire::kFrameHeaderSize;

crypto::Nonce nonce_of(std::uint32_t epoch, std::uint64_t n) {
  crypto::Nonce nonce{};
  for (int i = 3; i >= 0; --i, epoch >>= 8) nonce[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(epoch);
  for (int i = 11; i >= 4; --i, n >>= 8) nonce[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(n);
  return nonce;
}

Message aad_of(wire::FrameType type, Bytes header) {
  constexpr std::array<std::string_view, 5> kLabels{"", "hs", "app", "rekey", "close"};
  const Bytes label = as_bytes(kLabels[std::to_underlying(type)]);
  Message aad(label.begin(), label.end());
  aad.insert(aad.end(), header.begin(), header.end());
  return aad;
}

}  // namespace

void Insider::secret(std::string_view name, std::uint32_t epoch, Bytes value) {
  secrets_[{std::string(name), epoch}] = Message(value.begin(), value.end());
}

const Message* Insider::known(std::string_view name, std::uint32_t epoch) const {
  const auto found = secrets_.find(std::pair(std::string(name), epoch));
  return found == secrets_.end() ? nullptr : &found->second;
}

const Message* Insider::traffic_key(Role from, std::uint32_t epoch) const {
  const bool client = from == Role::Client;
  if (epoch == 0) return known(client ? "c_hs" : "s_hs", 0);
  return known(client ? "c_key" : "s_key", epoch);
}

std::unique_ptr<crypto::Aead> Insider::keyed(Role from, std::uint32_t epoch) {
  auto aead = provider_.aead(aead_).value();
  static_cast<void>(aead->set_key(TrafficKey::copy_of(*traffic_key(from, epoch))));
  return aead;
}

Frame Insider::seal(Role from, wire::FrameHeader header, std::uint64_t n, Bytes plaintext) {
  Message payload(plaintext.begin(), plaintext.end());
  payload.resize(plaintext.size() + crypto::kTagSize);
  Frame frame = framed(header, payload);
  const MutableBytes body = MutableBytes(frame).subspan(kFrameHeaderSize);
  const Message aad = aad_of(header.type, Bytes(frame).first(kFrameHeaderSize));
  static_cast<void>(
      keyed(from, header.epoch)
          ->seal(nonce_of(header.epoch, n), aad, body.first(plaintext.size()), body.last<crypto::kTagSize>()));
  return frame;
}

std::optional<Message> Insider::open(Role from, const Frame& frame, std::uint64_t n) {
  const wire::FrameHeader header = header_of(frame);
  Message data = payload_of(frame);
  if (!knows(from, header.epoch) || data.size() < crypto::kTagSize) return std::nullopt;
  std::array<std::uint8_t, crypto::kTagSize> tag{};
  std::copy(data.end() - crypto::kTagSize, data.end(), tag.begin());
  data.resize(data.size() - crypto::kTagSize);
  const Message aad = aad_of(header.type, Bytes(frame).first(kFrameHeaderSize));
  if (!keyed(from, header.epoch)->open(nonce_of(header.epoch, n), aad, data, tag)) return std::nullopt;
  return data;
}

wire::FrameHeader header_of(const Frame& frame) {
  return wire::decode_header(Bytes(frame).first<kFrameHeaderSize>()).value();
}

Frame framed(wire::FrameHeader header, Bytes payload) {
  header.payload_len = static_cast<std::uint32_t>(payload.size());
  Frame frame(kFrameHeaderSize);
  wire::encode(header, MutableBytes(frame).first<kFrameHeaderSize>());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

Message payload_of(const Frame& frame) { return {frame.begin() + kFrameHeaderSize, frame.end()}; }

}  // namespace qsp::test
