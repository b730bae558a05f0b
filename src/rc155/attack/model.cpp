#include "rc155/attack/model.hpp"

#include <algorithm>
#include <array>

#include "rc155/messages.hpp"
#include "wire/cursor.hpp"

namespace qsp::rc155::attack {
namespace {

using wire::FrameType;

// Where a frame's fields start.
constexpr std::size_t kTypeAt = 0, kFlagsAt = 1, kSessionAt = 2, kEpochAt = 10, kSeqAt = 14, kLengthAt = 18;
constexpr std::size_t kPrefixAt = 22, kCiphertextAt = 34, kTagSize = 16;
constexpr std::size_t kRekeyPlaintext = 41;

/// The header without any check. Precondition: frame.size() >= 22.
wire::FrameHeader header_of(Bytes frame) noexcept {
  wire::Reader reader(frame);
  wire::FrameHeader header;
  header.type = static_cast<FrameType>(reader.u8());
  header.flags = reader.u8();
  header.session_id = reader.u64();
  header.epoch = reader.u32();
  header.seq = reader.u32();
  header.payload_len = reader.u32();
  return header;
}

std::string_view label_of(FrameType type, Role from) noexcept {
  if (type == FrameType::Rekey) return from == Role::Server ? "rekey-init" : "rekey-ack";
  return type == FrameType::Close ? "close" : "app";
}

void flip(Prng& prng, MutableBytes bytes) noexcept {
  if (bytes.empty()) return;
  auto& byte = bytes[prng.below(bytes.size())];
  byte = static_cast<std::uint8_t>(byte ^ (1U << prng.below(8)));
}

/// Alters a header field that the nonce repeats, and the repetition too in half the cases.
void flip_repeated(Prng& prng, MutableBytes frame, std::size_t field, std::size_t repeated) {
  flip(prng, frame.subspan(field, 4));
  if (prng.chance(0.5)) std::ranges::copy(frame.subspan(field, 4), frame.subspan(repeated, 4).begin());
}

void put_length(MutableBytes frame, std::size_t length) {
  wire::Writer(frame.subspan(kLengthAt, 4)).u32(static_cast<std::uint32_t>(length));
}

void cut_or_extend(Prng& prng, Frame& frame, bool longer) {
  const std::size_t by = 1 + prng.below(longer ? 40 : std::min<std::size_t>(frame.size() - 1, 40));
  frame.resize(longer ? frame.size() + by : frame.size() - by, 0x5a);
  if (frame.size() >= kPrefixAt && prng.chance(0.5)) put_length(frame, frame.size() - kPrefixAt);
}

}  // namespace

void damage(Prng& prng, std::deque<Frame>& queue, std::size_t at, std::deque<Frame>& reverse) {
  const auto position = queue.begin() + static_cast<std::ptrdiff_t>(at);
  const MutableBytes frame(*position);
  // A frame cut before is only cut further, dropped, repeated or moved.
  const bool whole = frame.size() >= kCiphertextAt + kTagSize;
  switch (whole ? prng.below(16) : 10 + prng.below(5)) {
    case 0:
      frame[kTypeAt] = static_cast<std::uint8_t>(frame[kTypeAt] + 1 + prng.below(prng.chance(0.5) ? 3 : 255));
      break;
    case 1:
      flip(prng, frame.subspan(kFlagsAt, 1));
      break;
    case 2:
      flip(prng, frame.subspan(kSessionAt, 8));
      break;
    case 3:
      flip_repeated(prng, frame, kEpochAt, kPrefixAt);
      break;
    case 4:
      flip_repeated(prng, frame, kSeqAt, kPrefixAt + 8);
      break;
    case 5:
      flip(prng, frame.subspan(kLengthAt, 4));
      break;
    case 6:
      put_length(frame, prng.below(100));
      break;
    case 7:
      flip(prng, frame.subspan(kPrefixAt, 12));
      break;
    case 8:
      flip(prng, frame.subspan(kCiphertextAt, frame.size() - kCiphertextAt));
      break;
    case 9:
      flip(prng, frame.last(kTagSize));
      break;
    case 10:
      cut_or_extend(prng, *position, false);
      break;
    case 11:
      cut_or_extend(prng, *position, true);
      break;
    case 12:
      queue.insert(position, Frame(*position));
      break;
    case 13:
      queue.erase(position);
      break;
    case 14:
      std::swap(*position, queue[prng.below(queue.size())]);
      break;
    default:
      reverse.insert(reverse.begin() + static_cast<std::ptrdiff_t>(prng.below(reverse.size() + 1)), *position);
  }
}

// The attacker with every key.

bool Attacker::watch_handshake(Bytes hellos) {
  wire::Reader reader(hellos);
  reader.bytes(22 + 4);
  const Bytes client = reader.bytes(32);
  reader.bytes(22 + 4);
  const Bytes server = reader.bytes(32);
  session_id_ = reader.u64();
  if (!reader.finished()) return false;
  rc155::HelloNonce client_nonce, server_nonce;
  std::ranges::copy(client, client_nonce.begin());
  std::ranges::copy(server, server_nonce.begin());
  auto key = rc155::first_key(provider_->hkdf(), client_nonce, server_nonce);
  auto aead = provider_->aead(crypto::AeadId::Aes256Gcm);
  if (!key || !aead) return false;
  keys_.push_back(std::move(*key));
  aead_ = std::move(*aead);
  return true;
}

bool Attacker::watch_init(Bytes frame) {
  const auto plaintext = open(Role::Server, frame);
  if (!plaintext || plaintext->size() != kRekeyPlaintext) return false;
  const std::uint32_t epoch = header_of(frame).epoch;
  if (epoch != keys_.size()) return false;
  auto key = rc155::next_key(provider_->hkdf(), keys_.back(), session_id_, epoch + 1, Bytes(*plaintext).last(32));
  if (!key) return false;
  keys_.push_back(std::move(*key));
  return true;
}

bool Attacker::forge(Prng& prng, Role from, Frame& frame) {
  auto plaintext = open(from, frame);
  if (!plaintext || forged(from, frame)) return false;
  wire::FrameHeader header = header_of(frame);
  Reason reason = Reason::ProtocolError;
  if (header.type == FrameType::Rekey) {
    const MutableBytes message(*plaintext);
    switch (prng.below(from == Role::Client ? 4 : 3)) {
      case 0:
        flip(prng, message.first(4));
        break;
      case 1:
        flip(prng, message.subspan(4, 1));
        break;
      case 2:
        flip(prng, message.subspan(5, 4));
        reason = Reason::EpochMismatch;
        break;
      default:
        flip(prng, message.last(32));
        reason = Reason::RekeyFailed;
    }
  } else if (header.type == FrameType::AppData) {
    // Data becomes a rekey message: an ACK with a random confirm, or an INIT that skips an epoch.
    plaintext->assign(kRekeyPlaintext, 0);
    wire::Writer writer(*plaintext);
    writer.bytes(as_bytes("RK54"));
    writer.u8(from == Role::Client ? 2 : 1);
    writer.u32(header.epoch + (from == Role::Client ? 1 : 2));
    prng.fill(MutableBytes(*plaintext).last(32));
    header.type = FrameType::Rekey;
    reason = from == Role::Client ? Reason::RekeyFailed : Reason::EpochMismatch;
  } else {
    return false;
  }
  if (!seal(header, *plaintext, label_of(header.type, from), frame)) return false;
  forged_.push_back({from, frame, reason});
  return true;
}

std::optional<Reason> Attacker::forged(Role from, Bytes frame) const {
  const auto is_it = [&](const Forgery& item) { return item.from == from && std::ranges::equal(item.frame, frame); };
  const auto found = std::ranges::find_if(forged_, is_it);
  if (found == forged_.end()) return std::nullopt;
  return found->reason;
}

bool Attacker::set_key(std::uint32_t epoch) {
  if (epoch == 0 || epoch > keys_.size()) return false;
  return aead_->set_key(TrafficKey::copy_of(keys_[epoch - 1].reveal())).has_value();
}

std::optional<Frame> Attacker::open(Role from, Bytes frame) {
  if (frame.size() < kCiphertextAt + kTagSize) return std::nullopt;
  const wire::FrameHeader header = header_of(frame);
  if (header.payload_len != frame.size() - kPrefixAt || !set_key(header.epoch)) return std::nullopt;
  crypto::Nonce nonce;
  std::ranges::copy(frame.subspan(kPrefixAt, nonce.size()), nonce.begin());
  Frame plaintext(frame.begin() + kCiphertextAt, frame.end() - kTagSize);
  if (!aead_->open(nonce, as_bytes(label_of(header.type, from)), plaintext, frame.last<kTagSize>()))
    return std::nullopt;
  return plaintext;
}

bool Attacker::seal(wire::FrameHeader header, Bytes plaintext, std::string_view label, Frame& out) {
  out.resize(kCiphertextAt + plaintext.size() + kTagSize);
  header.payload_len = static_cast<std::uint32_t>(out.size() - kPrefixAt);
  wire::encode(header, MutableBytes(out).first<wire::kFrameHeaderSize>());
  crypto::Nonce nonce;
  wire::Writer writer(nonce);
  writer.u32(header.epoch);
  writer.u64(header.seq);
  std::ranges::copy(nonce, out.begin() + kPrefixAt);
  const MutableBytes data = MutableBytes(out).subspan(kCiphertextAt, plaintext.size());
  std::ranges::copy(plaintext, data.begin());
  return set_key(header.epoch) && aead_->seal(nonce, as_bytes(label), data, MutableBytes(out).last<kTagSize>());
}

// The model.

bool Model::request_rekey() noexcept {
  if (role_ != Role::Server || init_in_flight_ || closed_) return false;
  init_in_flight_ = true;
  return true;
}

rc155::Snapshot Model::snapshot() const noexcept {
  const bool two_epochs = receives_previous_ && !closed_;
  const auto state = closed_                         ? rc155::State::Closed
                     : init_in_flight_ || two_epochs ? rc155::State::Rekey
                                                     : rc155::State::Established;
  return {.state = state,
          .epoch = epoch_,
          .previous_epoch = two_epochs ? epoch_ - 1 : 0,
          .sent = static_cast<std::uint32_t>(made_.size()),
          .received = received_};
}

Verdict Model::judge(Bytes unread, const Model& peer, const Attacker& attacker) {
  if (closed_) return {Verdict::Kind::Swallow, "closed"};
  if (unread.size() < kPrefixAt) return {Verdict::Kind::Wait, "header not whole"};
  const wire::FrameHeader header = header_of(unread);
  if (const auto refused = refuse_header(header)) return refuse(refused->first, refused->second);
  const std::size_t size = kPrefixAt + header.payload_len;
  if (unread.size() < size) return {Verdict::Kind::Wait, "payload not whole"};

  const Bytes frame = unread.first(size);
  std::array<std::uint8_t, 12> nonce;
  wire::Writer writer(nonce);
  writer.u32(header.epoch);
  writer.u64(header.seq);
  if (!std::ranges::equal(frame.subspan(kPrefixAt, 12), nonce)) {
    return refuse(Reason::ProtocolError, "nonce prefix unlike the header");
  }
  if (const Made* genuine = peer.find(header.seq, frame)) return accept(header, *genuine, peer);
  // One key for both directions: what this end made itself comes back as its peer's. The profile cannot tell.
  const Made* reflected = header.type == FrameType::AppData ? find(header.seq, frame) : nullptr;
  if (reflected != nullptr) return accept(header, *reflected, peer);
  if (const auto reason = attacker.forged(peer.role_, frame)) {
    received_ = header.seq;  // it authenticates, so it counts
    return refuse(*reason, "forged rekey message");
  }
  return refuse(Reason::AeadDecryptFailed, "altered frame");
}

std::optional<std::pair<Reason, std::string_view>> Model::refuse_header(
    const wire::FrameHeader& header) const noexcept {
  using Refusal = std::pair<Reason, std::string_view>;
  std::uint32_t min = 28, max = 65'536 + 28;
  switch (header.type) {
    case FrameType::AppData:
      break;
    case FrameType::Rekey:
      if (role_ == Role::Server && !init_in_flight_) return Refusal{Reason::ProtocolError, "ACK without INIT"};
      min = max = 12 + 41 + 16;
      break;
    case FrameType::Close:
      min = 12 + 2 + 16;
      max = 12 + 2 + 1024 + 16;
      break;
    default:
      return Refusal{Reason::ProtocolError, "type unknown, or a hello"};
  }
  if (header.flags != 0) return Refusal{Reason::ProtocolError, "flags"};
  if (header.payload_len < min || header.payload_len > max) return Refusal{Reason::ProtocolError, "payload_len"};
  if (header.session_id != session_id_) return Refusal{Reason::ProtocolError, "session_id"};
  const bool previous = receives_previous_ && header.epoch == epoch_ - 1;
  if (header.epoch != epoch_ && !previous) return Refusal{Reason::EpochMismatch, "epoch"};
  if (header.seq != received_ + 1) return Refusal{Reason::ProtocolError, "seq"};
  if (header.type == FrameType::Rekey && previous) return Refusal{Reason::ProtocolError, "second INIT in an epoch"};
  return std::nullopt;
}

const Made* Model::find(std::uint32_t seq, Bytes frame) const noexcept {
  if (seq == 0 || seq > made_.size()) return nullptr;
  const Made& made = made_[seq - 1];
  return std::ranges::equal(made.bytes, frame) ? &made : nullptr;
}

Verdict Model::accept(const wire::FrameHeader& header, const Made& frame, const Model& peer) noexcept {
  received_ = header.seq;
  if (header.epoch == epoch_) receives_previous_ = false;
  if (header.type == FrameType::Rekey) {
    ++epoch_;
    init_in_flight_ = false;
    receives_previous_ = role_ == Role::Client;
  }
  if (header.type == FrameType::Close) closed_ = peer.closed_;
  return {.kind = Verdict::Kind::Accept,
          .what = "genuine frame",
          .size = frame.bytes.size(),
          .type = header.type,
          .plaintext = frame.plaintext,
          .by_peer = header.type == FrameType::Close};
}

Verdict Model::refuse(Reason reason, std::string_view what) noexcept {
  closed_ = reason;
  return {Verdict::Kind::Refuse, what};
}

}  // namespace qsp::rc155::attack
