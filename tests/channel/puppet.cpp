#include "channel/puppet.hpp"

#include <algorithm>
#include <array>

#include "handshake/handshake.hpp"
#include "qsp/suites.hpp"
#include "wire/cursor.hpp"

namespace qsp::test {
namespace {

using wire::FrameType;

void apply(const Edit& edit, Message& message) {
  if (edit) edit(message);
}

Message encoded(const auto& message) {
  Message out(wire::kMaxRekeyPlaintext);
  out.resize(encode(message, out));
  return out;
}

}  // namespace

Puppet::Puppet(Role role, crypto::Provider& provider, const Party& self)
    : role_(role), provider_(provider), self_(self), insider_(provider) {}

schedule::Digest Puppet::hash(Bytes partial) const {
  return schedule::transcript_hash(provider_.hkdf(), {transcript_, partial}).value();
}

std::optional<QkdKey> Puppet::qkd_key() const {
  if (!script.qkd_key) return std::nullopt;
  return QkdKey::copy_of(*script.qkd_key);
}

Frame Puppet::client_hello(const Edit& edit) {
  wire::ClientHello hello;
  hello.versions.push_back(wire::kVersion1);
  static_cast<void>(provider_.rng().fill(hello.nonce));
  for (const crypto::KemId id : script.kems) {
    shares_.push_back(provider_.kem(id).value()->generate(provider_.rng()).value());
    hello.shares.push_back({std::to_underlying(id), shares_.back()->public_key()});
  }
  for (const std::uint16_t code : script.signatures) hello.signatures.push_back(code);
  for (const crypto::AeadId id : script.aeads) hello.aeads.push_back(std::to_underlying(id));
  hello.qkd_offer = script.qkd;
  if (!script.application.empty()) hello.applications.push_back(as_bytes(script.application));
  Message message = encode(hello);
  apply(edit, message);
  add(message);
  return say(FrameType::Handshake, message);
}

void Puppet::take_server_hello(const Frame& frame) {
  ++heard_;
  const Message message = payload_of(frame);
  const wire::ServerHello hello = wire::parse_server_hello(message).value();
  add(message);
  session_id_ = hello.session_id;
  insider_.use(*crypto::aead_from_wire(hello.aead));
  const auto chosen = std::ranges::find(script.kems, *crypto::kem_from_wire(hello.kem)) - script.kems.begin();
  derive(shares_[static_cast<std::size_t>(chosen)]->decapsulate(hello.kem_ciphertext).value());
}

void Puppet::take_server_auth(const Frame& frame) { add(hear(frame).value()); }

Frame Puppet::client_auth(const Edit& edit, const Edit& after_signing, const Edit& after) {
  wire::ClientAuth auth;
  auth.identity = script.identity.value_or(self_.key.identity);
  auth.signature_algorithm = script.signature.value_or(std::to_underlying(self_.key.key.algorithm));
  auth.sae_id = script.sae_id;
  auth.key_id = script.key_id;
  Message message = encode_to_signature(auth, script.qkd != 0, crypto::info(self_.key.key.algorithm).signature_size);
  apply(edit, message);
  sign(message, handshake::kClientAuthContext);
  apply(after_signing, message);
  derive_master(hash(message));
  const schedule::Digest confirm = master_->client_confirm(context(), th4_).value();
  message.insert(message.end(), confirm.begin(), confirm.end());
  apply(after, message);
  add(message);
  return say(FrameType::Handshake, message);
}

void Puppet::take_server_finish(const Frame& frame) {
  static_cast<void>(hear(frame).value());
  finish();
}

Frame Puppet::server_hello(const Frame& client_hello, const Edit& edit) {
  ++heard_;
  const Message offered = payload_of(client_hello);
  const wire::ClientHello hello = wire::parse_client_hello(offered).value();
  add(offered);
  const auto code = std::to_underlying(script.kems.front());
  const auto share = std::ranges::find(hello.shares, code, &wire::KemShare::kem);
  auto encapsulation =
      provider_.kem(script.kems.front()).value()->encapsulate(share->public_key, provider_.rng()).value();
  wire::ServerHello reply;
  reply.version = wire::kVersion1;
  static_cast<void>(provider_.rng().fill(reply.nonce));
  reply.session_id = session_id_ = script.session_id;
  reply.kem = code;
  reply.signature = script.signature.value_or(std::to_underlying(self_.key.key.algorithm));
  reply.aead = std::to_underlying(script.aeads.front());
  reply.qkd_mode = script.qkd;
  reply.kem_ciphertext = encapsulation.ciphertext;
  Message message = encode(reply);
  apply(edit, message);
  add(message);
  Frame frame = say(FrameType::Handshake, message);
  insider_.use(script.aeads.front());
  derive(std::move(encapsulation.secret));
  return frame;
}

Frame Puppet::server_auth(const Edit& edit, const Edit& after_signing) {
  wire::ServerAuth auth;
  auth.identity = script.identity.value_or(self_.key.identity);
  for (const std::uint16_t code : script.signatures) auth.signatures.push_back(code);
  auth.sae_id = script.sae_id;
  auth.application = script.application;
  Message message = encode_to_signature(auth, script.qkd != 0, crypto::info(self_.key.key.algorithm).signature_size);
  apply(edit, message);
  sign(message, handshake::kServerAuthContext);
  apply(after_signing, message);
  add(message);
  return say(FrameType::Handshake, message);
}

void Puppet::take_client_auth(const Frame& frame) {
  const Message message = hear(frame).value();
  derive_master(hash(wire::parse_client_auth(message, script.qkd != 0).value().up_to_confirm));
  add(message);
}

Frame Puppet::server_finish(const Edit& edit, const Edit& after) {
  Message message = wire::encode_server_finish_to_confirm();
  apply(edit, message);
  const schedule::Digest confirm = master_->server_confirm(context(), th4_, hash(message)).value();
  message.insert(message.end(), confirm.begin(), confirm.end());
  apply(after, message);
  Frame frame = say(FrameType::Handshake, message);
  finish();
  return frame;
}

Frame Puppet::init(bool kem, bool key, const Edit& edit) {
  std::array<std::uint8_t, wire::kMaterialSize> material{};
  static_cast<void>(provider_.rng().fill(material));
  wire::RekeyInit init{.new_epoch = epoch_ + 1, .material = material, .kem_public_key = {}, .key_id = {}};
  shares_.clear();
  if (kem) {
    shares_.push_back(provider_.kem(script.kems.front()).value()->generate(provider_.rng()).value());
    init.kem_public_key = shares_.front()->public_key();
  }
  if (key) init.key_id = script.key_id;
  init_key_ = key;
  init_ = encoded(init);
  apply(edit, init_);
  return say(FrameType::Rekey, init_);
}

schedule::NextEpoch Puppet::ratchet(std::optional<SharedSecret>&& secret, bool key, Bytes ack) {
  const auto thr = schedule::transcript_hash(
      provider_.hkdf(), {init_, ack.first(wire::kAckConfirmBegin), ack.subspan(wire::kAckConfirmEnd)});
  schedule::RekeyInputs inputs{.qkd_key = key ? qkd_key() : std::nullopt,
                               .shared_secret = std::move(secret),
                               .material = Bytes(init_).subspan(9, 32)};
  return std::move(*ratchet_).next(context(), std::move(inputs), session_id_, *thr).value();
}

Frame Puppet::ack(const Frame& init_frame, const Edit& edit, const Edit& after) {
  init_ = hear(init_frame).value();
  const auto parsed = wire::parse_rekey(init_).value();
  const auto& init = std::get<wire::RekeyInit>(parsed);
  wire::RekeyAck ack{.new_epoch = init.new_epoch, .confirm = {}, .kem_ciphertext = {}};
  std::optional<SharedSecret> secret;
  std::optional<crypto::Encapsulation> encapsulation;
  if (!init.kem_public_key.empty()) {
    const crypto::Kem* kem = provider_.kem(script.kems.front()).value();
    encapsulation = kem->encapsulate(init.kem_public_key, provider_.rng()).value();
    ack.kem_ciphertext = encapsulation->ciphertext;
    secret = std::move(encapsulation->secret);
  }
  Message message = encoded(ack);
  apply(edit, message);
  schedule::NextEpoch next = ratchet(std::move(secret), !init.key_id.empty(), message);
  std::ranges::copy(next.confirm, message.begin() + wire::kAckConfirmBegin);
  apply(after, message);
  Frame frame = say(FrameType::Rekey, message);
  next_epoch(std::move(next));
  return frame;
}

void Puppet::take_ack(const Frame& frame) {
  const Message message = hear(frame).value();
  const auto parsed = wire::parse_rekey(message).value();
  const auto& ack = std::get<wire::RekeyAck>(parsed);
  std::optional<SharedSecret> secret;
  if (!ack.kem_ciphertext.empty()) secret = shares_.front()->decapsulate(ack.kem_ciphertext).value();
  next_epoch(ratchet(std::move(secret), init_key_, message));
}

Frame Puppet::done() { return say(FrameType::Rekey, encoded(wire::RekeyDone{epoch_})); }

wire::FrameHeader Puppet::next_header(FrameType type) const {
  return {.type = type,
          .flags = 0,
          .session_id = session_id_,
          .epoch = epoch_,
          .seq = static_cast<std::uint32_t>(sent_),
          .payload_len = 0};
}

Frame Puppet::say(FrameType type, Bytes plaintext, std::uint8_t flags) {
  wire::FrameHeader header = next_header(type);
  header.flags = flags;
  Frame frame = sealing_ ? insider_.seal(role_, header, sent_, plaintext) : framed(header, plaintext);
  ++sent_;
  return frame;
}

Frame Puppet::forge(const wire::FrameHeader& header, std::uint64_t n, Bytes plaintext) {
  return sealing_ ? insider_.seal(role_, header, n, plaintext) : framed(header, plaintext);
}

std::optional<Message> Puppet::hear(const Frame& frame) { return insider_.open(other(role_), frame, heard_++); }

void Puppet::derive(SharedSecret&& secret) {
  secret_ = schedule::HandshakeSecret::derive(context(), std::move(secret)).value();
  static_cast<void>(secret_->traffic_keys(context(), hash()).value());
  sealing_ = true;
}

void Puppet::derive_master(const schedule::Digest& th4) {
  th4_ = th4;
  master_ = std::move(*secret_).master(context(), th4, script.qkd != 0 ? qkd_key() : std::nullopt).value();
}

void Puppet::finish() {
  auto keys = std::move(*master_).first_epoch(context(), session_id_, th4_).value().keys(context()).value();
  ratchet_ = std::move(keys.ratchet);
  epoch_ = 1;
}

void Puppet::sign(Message& message, std::string_view signing_context) {
  const auto th = hash(message);
  wire::append_signature(message, handshake::sign(provider_, *self_.signer, signing_context, th).value());
}

void Puppet::next_epoch(schedule::NextEpoch&& next) {
  epoch_ = next.secret.epoch();
  auto keys = std::move(next.secret).keys(context()).value();
  ratchet_ = std::move(keys.ratchet);
}

void mend_length(Message& message) {
  wire::Writer(MutableBytes(message).subspan(1, 3)).u24(static_cast<std::uint32_t>(message.size() - 4));
}

void add_extension(Message& message, std::uint16_t type, Bytes data, std::size_t behind) {
  const auto end = message.end() - static_cast<std::ptrdiff_t>(behind);
  Message block{0,
                static_cast<std::uint8_t>(4 + data.size()),
                static_cast<std::uint8_t>(type >> 8),
                static_cast<std::uint8_t>(type),
                0,
                static_cast<std::uint8_t>(data.size())};
  block.insert(block.end(), data.begin(), data.end());
  message.insert(message.erase(end - 2, end), block.begin(), block.end());
  // The length field may already count what is appended later (a signature, a confirm).
  wire::Reader length(Bytes(message).subspan(1, 3));
  wire::Writer(MutableBytes(message).subspan(1, 3)).u24(length.u24() + 4 + static_cast<std::uint32_t>(data.size()));
}

Message alert(std::uint16_t reason, std::string_view text) {
  return encode(wire::Alert{static_cast<Reason>(reason), text});
}

Message close_text(std::uint16_t reason, std::string_view text) {
  Message message(2 + text.size());
  message[0] = static_cast<std::uint8_t>(reason >> 8);
  message[1] = static_cast<std::uint8_t>(reason);
  std::ranges::copy(text, message.begin() + 2);
  return message;
}

}  // namespace qsp::test
