#include "schedule/schedule.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/big_endian.hpp"
#include "base/try.hpp"

namespace qsp::schedule {
namespace {

constexpr std::string_view kProtocol = "QSP/1.0";
constexpr std::string_view kLabelPrefix = "qsp1 ";
constexpr std::string_view kExportPrefix = "export ";

constexpr std::array<std::uint8_t, 1> lp8_length(std::size_t size) noexcept { return big_endian<1>(size); }
constexpr std::array<std::uint8_t, 4> lp32_length(std::size_t size) noexcept { return big_endian<4>(size); }

/// Expand(secret, label, data, 32) as a secret of the schedule.
Result<ScheduleSecret> expand32(const Context& context, const ScheduleSecret& secret, std::string_view label,
                                Bytes data) {
  Result<ScheduleSecret> out;
  if (const auto done = expand(context, secret.reveal(), label, data, out->writable()); !done) {
    out = std::unexpected(done.error());
  }
  return out;
}

Result<TrafficKeys> expand_pair(const Context& context, const ScheduleSecret& secret, std::string_view client_label,
                                std::string_view server_label, Bytes data) {
  Result<TrafficKeys> keys;
  auto done = expand(context, secret.reveal(), client_label, data, keys->client.writable());
  if (done) done = expand(context, secret.reveal(), server_label, data, keys->server.writable());
  if (!done) keys = std::unexpected(done.error());
  return keys;
}

/// HMAC(Expand(secret, label, data, 32), message)
Result<Digest> confirm(const Context& context, const ScheduleSecret& secret, std::string_view label, Bytes data,
                       const Digest& message, std::uint32_t epoch) {
  QSP_TRY(auto key, expand32(context, secret, label, data));
  context.note(label, epoch, key.reveal());
  return context.hkdf.hmac(key.reveal(), {message});
}

Bytes revealed(const auto& secret) noexcept { return secret ? secret->reveal() : Bytes{}; }

}  // namespace

Result<void> expand(const Context& context, Bytes secret, std::string_view label, Bytes data, MutableBytes out) {
  const auto length = big_endian<2>(out.size());
  const auto label_length = lp8_length(kLabelPrefix.size() + label.size());
  const auto data_length = lp8_length(data.size());
  // In one piece: every piece costs a call or two more, and there are twelve of these in a rekey.
  std::array<std::uint8_t, 2 + 1 + 0xff + 1 + 0xff> info;
  auto end = info.begin();
  for (const Bytes part :
       {Bytes(length), Bytes(label_length), as_bytes(kLabelPrefix), as_bytes(label), Bytes(data_length), data}) {
    end = std::copy(part.begin(), part.end(), end);
  }
  return context.hkdf.expand(secret, {Bytes(info.begin(), end)}, out);
}

Result<Digest> transcript_hash(crypto::Hkdf& hkdf, crypto::Parts messages) {
  std::array<Bytes, 8> parts{as_bytes(kProtocol)};
  std::ranges::copy(messages, parts.begin() + 1);
  return hkdf.hash({parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6], parts[7]});
}

Result<HandshakeSecret> HandshakeSecret::derive(const Context& context, SharedSecret&& shared_secret) {
  const SharedSecret ss = std::move(shared_secret);
  // §5: hs_secret = HKDF-Extract(salt = H("qsp1 handshake"), IKM = lp32(ss))
  QSP_TRY(const auto salt, context.hkdf.hash({as_bytes("qsp1 handshake")}));
  QSP_TRY(auto secret, context.hkdf.extract(salt, {lp32_length(ss.size()), ss.reveal()}));
  context.note("ss", 0, ss.reveal());
  context.note("hs_secret", 0, secret.reveal());
  return HandshakeSecret(std::move(secret));
}

Result<TrafficKeys> HandshakeSecret::traffic_keys(const Context& context, const Digest& th_hellos) const {
  auto keys = expand_pair(context, secret_, "c hs", "s hs", th_hellos);
  if (!keys) return keys;
  context.note("c_hs", 0, keys->client.reveal());
  context.note("s_hs", 0, keys->server.reveal());
  return keys;
}

Result<MasterSecret> HandshakeSecret::master(const Context& context, const Digest& th4,
                                             std::optional<QkdKey>&& qkd_key) && {
  const std::optional<QkdKey> key = std::exchange(qkd_key, std::nullopt);
  const ScheduleSecret secret = std::move(secret_);
  // §5: master = HKDF-Extract(salt = Expand(hs_secret, "derived", th4, 32), IKM = lp32(qkd_key or empty))
  QSP_TRY(auto salt, expand32(context, secret, "derived", th4));
  const Bytes ikm = revealed(key);
  QSP_TRY(auto master, context.hkdf.extract(salt.reveal(), {lp32_length(ikm.size()), ikm}));
  context.note("qkd_key", 0, ikm);
  context.note("derived", 0, salt.reveal());
  context.note("master", 0, master.reveal());
  return MasterSecret(std::move(master));
}

Result<Digest> MasterSecret::client_confirm(const Context& context, const Digest& th4) const {
  return confirm(context, secret_, "c finished", th4, th4, 0);
}

Result<Digest> MasterSecret::server_confirm(const Context& context, const Digest& th4, const Digest& th5) const {
  return confirm(context, secret_, "s finished", th4, th5, 0);
}

Result<EpochSecret> MasterSecret::first_epoch(const Context& context, std::uint64_t session_id, const Digest& th4) && {
  const ScheduleSecret master = std::move(secret_);
  // §5: epoch_secret[1] = Expand(master, "epoch", session_id u64 ‖ 1 u32 ‖ th4, 32)
  std::array<std::uint8_t, 8 + 4 + 32> data{};
  std::ranges::copy(big_endian<8>(session_id), data.begin());
  std::ranges::copy(big_endian<4>(1), data.begin() + 8);
  std::ranges::copy(th4, data.begin() + 12);
  QSP_TRY(auto secret, expand32(context, master, "epoch", data));
  context.note("epoch_secret", 1, secret.reveal());
  return EpochSecret(std::move(secret), 1);
}

Result<EpochKeys> EpochSecret::keys(const Context& context) && {
  const ScheduleSecret secret = std::move(secret_);
  QSP_TRY(auto traffic, expand_pair(context, secret, "c key", "s key", {}));
  QSP_TRY(auto ratchet, expand32(context, secret, "ratchet", {}));
  QSP_TRY(auto exporter, expand32(context, secret, "exporter", {}));
  context.note("c_key", epoch_, traffic.client.reveal());
  context.note("s_key", epoch_, traffic.server.reveal());
  context.note("ratchet", epoch_, ratchet.reveal());
  context.note("exporter", epoch_, exporter.reveal());
  return EpochKeys{std::move(traffic), Ratchet(std::move(ratchet), epoch_), Exporter(std::move(exporter))};
}

Result<NextEpoch> Ratchet::next(const Context& context, RekeyInputs&& inputs, std::uint64_t session_id,
                                const Digest& thr) && {
  const ScheduleSecret ratchet = std::move(secret_);
  const RekeyInputs mixed = std::move(inputs);
  const Bytes qkd_key = revealed(mixed.qkd_key);
  const Bytes shared_secret = revealed(mixed.shared_secret);
  // §7: prk = HKDF-Extract(salt = ratchet[e], IKM = lp32(qkd_key or empty) ‖ lp32(ss or empty) ‖ lp32(material))
  QSP_TRY(auto prk, context.hkdf.extract(ratchet.reveal(),
                                         {lp32_length(qkd_key.size()), qkd_key, lp32_length(shared_secret.size()),
                                          shared_secret, lp32_length(mixed.material.size()), mixed.material}));
  // §7: epoch_secret[e+1] = Expand(prk, "epoch", session_id ‖ (e+1) u32 ‖ THr, 32)
  const std::uint32_t epoch = epoch_ + 1;
  std::array<std::uint8_t, 8 + 4 + 32> data{};
  std::ranges::copy(big_endian<8>(session_id), data.begin());
  std::ranges::copy(big_endian<4>(epoch), data.begin() + 8);
  std::ranges::copy(thr, data.begin() + 12);
  QSP_TRY(auto secret, expand32(context, prk, "epoch", data));
  QSP_TRY(auto tag, confirm(context, secret, "rekey confirm", {}, thr, epoch));
  context.note("rekey_qkd_key", epoch, qkd_key);
  context.note("rekey_ss", epoch, shared_secret);
  context.note("prk", epoch, prk.reveal());
  context.note("epoch_secret", epoch, secret.reveal());
  return NextEpoch{EpochSecret(std::move(secret), epoch), tag};
}

Result<void> Exporter::derive(const Context& context, std::string_view label, Bytes data, MutableBytes out) const {
  QSP_TRY(const auto hashed, context.hkdf.hash({data}));
  std::array<char, kExportPrefix.size() + 200> full{};
  const auto end = std::ranges::copy(label, std::ranges::copy(kExportPrefix, full.begin()).out).out;
  return expand(context, secret_.reveal(), std::string_view(full.begin(), end), hashed, out);
}

}  // namespace qsp::schedule
