#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "qsp/crypto.hpp"
#include "qsp/secret.hpp"

/// The key schedule (SPEC §5 "Keys", §6, §7). Each stage is a type that the next one consumes, so a secret cannot be
/// used twice or outlive its use:
///
///   ss ─▶ HandshakeSecret ──┬─▶ c_hs, s_hs
///                           ▼ th4, qkd_key
///                     MasterSecret ──┬─▶ confirm_C, confirm_S
///                                    ▼ session_id, th4
///                              EpochSecret ──▶ c_key, s_key, Exporter, Ratchet
///                                    ▲                                    │ qkd_key, ss, material
///                                    └────────────────────────────────────┘ and the rekey's confirm
///
/// Every error is the provider's.
namespace qsp::schedule {

using crypto::Digest;

/// Receives every secret as it is derived. For test vectors and `--dangerous-keylog` only.
class DangerousKeyLog {
 public:
  virtual ~DangerousKeyLog() = default;
  /// `name` is the SPEC's name of the value; `epoch` is 0 for the handshake's.
  virtual void secret(std::string_view name, std::uint32_t epoch, Bytes value) = 0;
};

/// What every derivation needs.
struct Context {
  crypto::Hkdf& hkdf;
  DangerousKeyLog* log = nullptr;

  void note(std::string_view name, std::uint32_t epoch, Bytes value) const {
    if (log != nullptr) log->secret(name, epoch, value);
  }
};

/// `HKDF-Expand(secret, u16(L) ‖ lp8("qsp1 " ‖ label) ‖ lp8(context), L)` (SPEC §3). Preconditions: label ≤ 250 bytes,
/// context ≤ 255 bytes, out ≤ 255 · 32 bytes.
Result<void> expand(const Context& context, Bytes secret, std::string_view label, Bytes data, MutableBytes out);

struct TrafficKeys {
  TrafficKey client;
  TrafficKey server;
};

class Exporter {
 public:
  explicit Exporter(ScheduleSecret&& secret) noexcept : secret_(std::move(secret)) {}
  /// `Expand(exporter[e], "export " ‖ label, H(context), L)`. Preconditions: label ≤ 200 bytes, out ≤ 255 · 32 bytes.
  Result<void> derive(const Context& context, std::string_view label, Bytes data, MutableBytes out) const;

 private:
  ScheduleSecret secret_;
};

class EpochSecret;

/// What a rekey mixes in; an absent source enters as an empty string.
struct RekeyInputs {
  std::optional<QkdKey> qkd_key;
  std::optional<SharedSecret> shared_secret;
  Bytes material;
};

struct NextEpoch;

class Ratchet {
 public:
  Ratchet(ScheduleSecret&& secret, std::uint32_t epoch) noexcept : secret_(std::move(secret)), epoch_(epoch) {}
  /// `thr` is the rekey's transcript hash (SPEC §7).
  Result<NextEpoch> next(const Context& context, RekeyInputs&& inputs, std::uint64_t session_id, const Digest& thr) &&;

 private:
  ScheduleSecret secret_;
  std::uint32_t epoch_;
};

struct EpochKeys {
  TrafficKeys traffic;
  Ratchet ratchet;
  Exporter exporter;
};

class EpochSecret {
 public:
  EpochSecret(ScheduleSecret&& secret, std::uint32_t epoch) noexcept : secret_(std::move(secret)), epoch_(epoch) {}
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  Result<EpochKeys> keys(const Context& context) &&;

 private:
  friend class Ratchet;
  ScheduleSecret secret_;
  std::uint32_t epoch_;
};

struct NextEpoch {
  EpochSecret secret;
  Digest confirm;
};

class MasterSecret {
 public:
  explicit MasterSecret(ScheduleSecret&& secret) noexcept : secret_(std::move(secret)) {}
  Result<Digest> client_confirm(const Context& context, const Digest& th4) const;
  /// `th5` covers SERVER_FINISH up to its confirm.
  Result<Digest> server_confirm(const Context& context, const Digest& th4, const Digest& th5) const;
  Result<EpochSecret> first_epoch(const Context& context, std::uint64_t session_id, const Digest& th4) &&;

 private:
  ScheduleSecret secret_;
};

class HandshakeSecret {
 public:
  static Result<HandshakeSecret> derive(const Context& context, SharedSecret&& shared_secret);
  Result<TrafficKeys> traffic_keys(const Context& context, const Digest& th_hellos) const;
  Result<MasterSecret> master(const Context& context, const Digest& th4, std::optional<QkdKey>&& qkd_key) &&;

 private:
  explicit HandshakeSecret(ScheduleSecret&& secret) noexcept : secret_(std::move(secret)) {}
  ScheduleSecret secret_;
};

/// `TH(a, b, …) = H("QSP/1.0" ‖ a ‖ b ‖ …)` over whole handshake messages (SPEC §5).
Result<Digest> transcript_hash(crypto::Hkdf& hkdf, crypto::Parts messages);

}  // namespace qsp::schedule
