#include "observer.hpp"

#include <algorithm>
#include <array>

#include "wire/cursor.hpp"

namespace qsp::rc155 {
namespace {

std::string_view label_of(wire::FrameType type, Role from) {
  if (type == wire::FrameType::Rekey) return from == Role::Server ? "rekey-init" : "rekey-ack";
  return type == wire::FrameType::Close ? "close" : "app";
}

crypto::Nonce nonce_of(const wire::FrameHeader& header) {
  crypto::Nonce nonce;
  wire::Writer writer(nonce);
  writer.u32(header.epoch);
  writer.u64(header.seq);
  return nonce;
}

}  // namespace

crypto::Digest Observer::derive(Bytes ikm, Bytes salt, crypto::Parts info) {
  crypto::Digest key{};
  const auto prk = provider_.hkdf().extract(salt, {ikm});
  // A provider that fails leaves zeros, which open nothing.
  if (prk && !provider_.hkdf().expand(prk->reveal(), info, key)) key.fill(0);
  return key;
}

bool Observer::watch(const std::vector<test::Frame>& client, const std::vector<test::Frame>& server) {
  if (client.empty() || server.empty()) return false;
  wire::Reader chlo(client.front());
  chlo.bytes(22);
  chlo.expect(as_bytes("CHLO"));
  const Bytes client_nonce = chlo.rest();
  wire::Reader shlo(server.front());
  shlo.bytes(22);
  shlo.expect(as_bytes("SHLO"));
  const Bytes server_nonce = shlo.bytes(32);
  session_id_ = shlo.u64();
  if (!chlo.finished() || !shlo.finished()) return false;

  // K[1]: two nonces, both in clear, and nothing else.
  const auto base = provider_.hkdf().hash({as_bytes("QSP153"), client_nonce, server_nonce});
  const auto salt = provider_.hkdf().hash({as_bytes("QSP153-salt")});
  if (!base || !salt) return false;
  const auto ikm = derive(*base, *salt, {as_bytes("qsp-stage153-handshake-ikm")});
  keys_.assign(1, derive(ikm, as_bytes("QSP-Stage155"), {as_bytes("QSP session key epoch1")}));

  // K[e+1]: the material travels under K[e].
  for (std::size_t i = 1; i < server.size(); ++i) {
    const wire::FrameHeader header = header_of(server[i]);
    if (header.type != wire::FrameType::Rekey || header.epoch != keys_.size()) continue;
    const auto init = open(Role::Server, server[i]);
    if (!init || init->size() != 41) return false;
    std::array<std::uint8_t, 19> next_salt;
    wire::Writer writer(next_salt);
    writer.bytes(as_bytes("QSP155|"));
    writer.u64(session_id_);
    writer.u32(header.epoch + 1);
    keys_.push_back(derive(keys_.back(), next_salt, {as_bytes("rekey|"), Bytes(*init).last(32)}));
  }
  return true;
}

std::optional<crypto::Digest> Observer::key(std::uint32_t epoch) const {
  if (epoch == 0 || epoch > keys_.size()) return std::nullopt;
  return keys_[epoch - 1];
}

std::optional<test::Frame> Observer::open(Role from, const test::Frame& frame) {
  const wire::FrameHeader header = header_of(frame);
  const auto key_bytes = key(header.epoch);
  auto aead = provider_.aead(crypto::AeadId::Aes256Gcm);
  if (!key_bytes || !aead || frame.size() < 50) return std::nullopt;
  if (!(*aead)->set_key(TrafficKey::copy_of(*key_bytes))) return std::nullopt;
  test::Frame plaintext(frame.begin() + 34, frame.end() - 16);
  const Bytes tag = Bytes(frame).last(16);
  if (!(*aead)->open(nonce_of(header), as_bytes(label_of(header.type, from)), plaintext, tag.first<16>())) {
    return std::nullopt;
  }
  return plaintext;
}

test::Frame Observer::seal(wire::FrameHeader header, std::string_view label, Bytes plaintext,
                           std::optional<std::uint32_t> key_epoch) {
  test::Frame frame(22 + 12 + plaintext.size() + 16);
  header.payload_len = static_cast<std::uint32_t>(frame.size() - 22);
  wire::encode(header, MutableBytes(frame).first<22>());
  const crypto::Nonce nonce = nonce_of(header);
  std::ranges::copy(nonce, frame.begin() + 22);
  std::ranges::copy(plaintext, frame.begin() + 34);
  auto aead = provider_.aead(crypto::AeadId::Aes256Gcm);
  const auto key_bytes = key(key_epoch.value_or(header.epoch));
  const bool sealed = aead && key_bytes && (*aead)->set_key(TrafficKey::copy_of(*key_bytes)) &&
                      (*aead)->seal(nonce, as_bytes(label), MutableBytes(frame).subspan(34, plaintext.size()),
                                    MutableBytes(frame).last<16>());
  if (!sealed) frame.clear();
  return frame;
}

test::Frame rekey_message(std::uint8_t type, std::uint32_t new_epoch, Bytes body, std::string_view magic) {
  test::Frame message(magic.size() + 5 + body.size());
  wire::Writer writer(message);
  writer.bytes(as_bytes(magic));
  writer.u8(type);
  writer.u32(new_epoch);
  writer.bytes(body);
  return message;
}

wire::FrameHeader header_of(const test::Frame& frame) {
  wire::Reader reader(frame);
  wire::FrameHeader header;
  header.type = static_cast<wire::FrameType>(reader.u8());
  header.flags = reader.u8();
  header.session_id = reader.u64();
  header.epoch = reader.u32();
  header.seq = reader.u32();
  header.payload_len = reader.u32();
  return header;
}

test::Frame clear_frame(wire::FrameHeader header, Bytes payload) {
  test::Frame frame(22);
  header.payload_len = static_cast<std::uint32_t>(payload.size());
  wire::encode(header, MutableBytes(frame).first<22>());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

}  // namespace qsp::rc155
