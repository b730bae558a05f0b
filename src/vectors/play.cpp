#include "vectors/play.hpp"

#include <algorithm>
#include <array>

#include "base/big_endian.hpp"
#include "base/try.hpp"

namespace qsp::vectors {
namespace {

using wire::kFrameHeaderSize;

constexpr std::size_t kExportSize = 48;
constexpr std::string_view kExportLabel = "vectors";

wire::FrameHeader header_of(Bytes frame) {
  const auto header = wire::decode_header(frame.first<kFrameHeaderSize>());
  return header.value_or(wire::FrameHeader{});
}

// SPEC §2.4, written a second time and not taken from the record layer, which this is to check.
crypto::Nonce nonce_of(std::uint32_t epoch, std::uint64_t n) {
  crypto::Nonce nonce{};
  std::ranges::copy(big_endian<8>(n), std::ranges::copy(big_endian<4>(epoch), nonce.begin()).out);
  return nonce;
}

Buffer aad_of(Bytes frame) {
  static constexpr std::array<std::string_view, 4> kLabels{"hs", "app", "rekey", "close"};
  const Bytes label = as_bytes(kLabels.at(frame.front() - 1U));
  Buffer aad(label.begin(), label.end());
  aad.insert(aad.end(), frame.begin(), frame.begin() + kFrameHeaderSize);
  return aad;
}

Result<std::unique_ptr<crypto::Aead>> keyed(Role from, std::uint32_t epoch, const Secrets& secrets,
                                            crypto::Provider& provider, crypto::AeadId id) {
  auto aead = provider.aead(id);
  if (!aead) return aead;
  const bool client = from == Role::Client;
  const Bytes key =
      epoch == 0 ? secrets.at(0, client ? "c_hs" : "s_hs") : secrets.at(epoch, client ? "c_key" : "s_key");
  QSP_TRY((*aead)->set_key(TrafficKey::copy_of(key)));
  return aead;
}

}  // namespace

void Play::fail(std::string_view what) {
  if (failure_.empty()) failure_ = what;
}

std::expected<void, std::string> Play::run(const Scenario& scenario, std::optional<Swap> swap) {
  swap_ = std::move(swap);
  drain(Role::Client);
  pump();
  for (std::size_t i = 0; i <= scenario.rekeys.size(); ++i) {
    const bool early_end = scenario.client_ends_early && i + 1 == scenario.rekeys.size();
    const bool ended = scenario.client_ends_early && i == scenario.rekeys.size();
    if (!ended) say(Role::Client, "alice to bob, epoch " + std::to_string(i + 1));
    if (!ended) say(Role::Client, "more", early_end);
    say(Role::Server, "bob to alice, epoch " + std::to_string(i + 1));
    export_key();
    if (i < scenario.rekeys.size()) rekey(scenario.rekeys[i]);
  }
  if (!scenario.client_ends_early) say(Role::Client, "", true);
  say(Role::Server, "bye", true);
  finish();
  if (!failure_.empty()) return std::unexpected(std::string(scenario.name) + ": " + failure_);
  return {};
}

void Play::say(Role from, std::string_view text, bool end) {
  if (stopped()) return;
  channel::Session& session = *ends_.at(from).session;
  const FrameRoom room = session.frame_room();
  Buffer frame(room.head + text.size() + room.tail);
  std::ranges::copy(as_bytes(text), frame.begin() + static_cast<std::ptrdiff_t>(room.head));
  if (const auto sealed = session.seal_app_data(frame, text.size(), end, kNow); !sealed)
    return fail(sealed.error().where);
  wire_.push_back({from, std::move(frame)});
  drain(from);
  pump();
}

void Play::rekey(const PlannedRekey& plan) {
  if (stopped()) return;
  kme_ = plan.kme;
  const std::uint32_t before = ends_.at(Role::Client).session->epoch();
  if (const auto asked = ends_.at(plan.asked_by).session->request_rekey(kNow); !asked) return fail(asked.error().where);
  drain(plan.asked_by);
  pump();
  if (stopped()) return;
  for (const Role role : {Role::Client, Role::Server}) {
    if (ends_.at(role).session->epoch() != before + 1) fail("a rekey did not come about");
  }
}

void Play::export_key() {
  if (stopped()) return;
  const Buffer context{0xc0, 0xff, 0xee};
  const auto here = ends_.at(Role::Client).session->export_key(kExportLabel, context, kExportSize, std::nullopt);
  const auto there = ends_.at(Role::Server).session->export_key(kExportLabel, context, kExportSize, std::nullopt);
  if (!here || !there || !constant_time_equal(here->key.reveal(), there->key.reveal()) || here->epoch != there->epoch)
    return fail("the ends' exports differ");
  exports_.push_back(
      {here->epoch, std::string(kExportLabel), context, Buffer(here->key.reveal().begin(), here->key.reveal().end())});
}

void Play::finish() {
  if (stopped()) return;
  if (swap_) return fail("an altered frame was not refused");
  if (!ends_.secrets().agree()) return fail("the ends' secrets differ");
  for (const auto& closed : closed_) {
    if (!closed || closed->reason != Reason::Normal || closed->truncated) return fail("an end did not close NORMAL");
  }
}

void Play::pump() {
  while (!stopped() && delivered_ < wire_.size()) deliver(delivered_++);
}

void Play::deliver(std::size_t index) {
  const Role to = other(wire_[index].from);
  const bool swapped = swap_ && swap_->index == index;
  Buffer frame = swapped ? swap_->frame : wire_[index].frame;
  if (ends_.at(to).session->handle_bytes(frame, kNow) != frame.size()) return fail("a whole frame was not handled");
  drain(to);
  const auto& closed = closed_[static_cast<std::size_t>(to)];
  if (swapped && closed && !closed->by_peer) refusal_ = closed->reason;
  if (swapped && !refusal_) fail("an altered frame was not refused");
}

void Play::drain(Role role) {
  channel::Session& session = *ends_.at(role).session;
  while (auto event = session.poll_event()) {
    if (const auto* need = std::get_if<QkdKeyNeeded>(&*event)) answer(role, *need);
    if (auto* closed = std::get_if<Closed>(&*event)) closed_[static_cast<std::size_t>(role)] = std::move(*closed);
  }
  std::array<std::uint8_t, Endpoint::kMaxFrameSize> bytes{};
  Buffer made;
  while (const std::size_t size = session.poll_transmit(bytes))
    made.insert(made.end(), bytes.begin(), bytes.begin() + size);
  for (Bytes rest(made); !rest.empty();) {
    const Bytes frame = rest.first(kFrameHeaderSize + header_of(rest).payload_len);
    wire_.push_back({role, {frame.begin(), frame.end()}});
    rest = rest.subspan(frame.size());
  }
}

void Play::answer(Role role, const QkdKeyNeeded& need) {
  channel::Session& session = *ends_.at(role).session;
  const bool fails = kme_ == (role == Role::Server ? Kme::FailsAtServer : Kme::FailsAtClient);
  Result<void> answered;
  if (fails) {
    answered = session.fail_qkd_key(QkdFailure::Unavailable, kNow);
  } else {
    if (!need.key_id) {
      auto drawn = ends_.draw_qkd();
      if (!drawn) return fail(drawn.error().where);
      qkd_ = std::move(*drawn);
    }
    if (!qkd_ || (need.key_id && *need.key_id != qkd_->key_id)) return fail("an unknown key_ID");
    answered = session.provide_qkd_key({qkd_->key_id, QkdKey::copy_of(qkd_->key)}, kNow);
  }
  if (!answered) fail(answered.error().where);
}

Result<std::vector<Opened>> open_all(const std::vector<Sent>& wire, const Secrets& secrets, crypto::Provider& provider,
                                     crypto::AeadId id) {
  std::vector<Opened> opened;
  std::array<std::uint64_t, 2> counts{};
  for (const Sent& sent : wire) {
    const std::uint64_t n = counts[static_cast<std::size_t>(sent.from)]++;
    Opened one{
        sent.from, header_of(sent.frame), n, sent.frame, {sent.frame.begin() + kFrameHeaderSize, sent.frame.end()}};
    const bool clear = one.header.epoch == 0 && n == 0;
    if (!clear) {
      QSP_TRY(const auto aead, keyed(sent.from, one.header.epoch, secrets, provider, id));
      const std::size_t size = one.plaintext.size() - crypto::kTagSize;
      const Bytes tag = Bytes(sent.frame).last(crypto::kTagSize);
      QSP_TRY(aead->open(nonce_of(one.header.epoch, n), aad_of(sent.frame), MutableBytes(one.plaintext).first(size),
                         tag.first<crypto::kTagSize>()));
      one.plaintext.resize(size);
    }
    opened.push_back(std::move(one));
  }
  return opened;
}

Result<Buffer> reseal(const Opened& original, Bytes plaintext, const Secrets& secrets, crypto::Provider& provider,
                      crypto::AeadId id) {
  QSP_TRY(const auto aead, keyed(original.from, original.header.epoch, secrets, provider, id));
  wire::FrameHeader header = original.header;
  header.payload_len = static_cast<std::uint32_t>(plaintext.size() + crypto::kTagSize);
  Buffer frame(kFrameHeaderSize + header.payload_len);
  const MutableBytes bytes(frame);
  wire::encode(header, bytes.first<kFrameHeaderSize>());
  std::ranges::copy(plaintext, frame.begin() + kFrameHeaderSize);
  QSP_TRY(aead->seal(nonce_of(header.epoch, original.n), aad_of(frame),
                     bytes.subspan(kFrameHeaderSize, plaintext.size()), bytes.last<crypto::kTagSize>()));
  return frame;
}

}  // namespace qsp::vectors
