#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/role.hpp"
#include "channel/session.hpp"
#include "crypto/other_rng.hpp"
#include "vectors/vectors.hpp"

/// The two ends of a scenario: everything that decides the bytes of its session.
namespace qsp::vectors {

using Buffer = std::vector<std::uint8_t>;

constexpr std::string_view name_of(Role role) noexcept { return role == Role::Client ? "client" : "server"; }

/// Random bytes that follow from a name: draw i, of L bytes, is HKDF-Expand(SHA-256("qsp-vectors-1 " ‖ name), u32(i),
/// L).
class Script final : public crypto::Rng {
 public:
  Script(crypto::Hkdf& hkdf, std::string name) : hkdf_(hkdf), name_("qsp-vectors-1 " + std::move(name)) {}
  Result<void> fill(MutableBytes out) override;
  /// Every draw so far, in order.
  [[nodiscard]] const std::vector<Buffer>& draws() const noexcept { return draws_; }

 private:
  crypto::Hkdf& hkdf_;
  std::string name_;
  std::vector<Buffer> draws_;
};

/// Another provider, whose randomness is a script. Both outlive it.
class ScriptedProvider final : public crypto::OtherRngProvider {
 public:
  ScriptedProvider(crypto::Provider& inner, Script& script) noexcept : OtherRngProvider(inner), script_(script) {}

  [[nodiscard]] crypto::Rng& rng() noexcept override { return script_; }

 private:
  Script& script_;
};

/// Every secret of a session by epoch and name, from both ends, which have to agree.
class Secrets final : public schedule::DangerousKeyLog {
 public:
  void secret(std::string_view name, std::uint32_t epoch, Bytes value) override;
  /// Empty where the session derived no such value.
  [[nodiscard]] Bytes at(std::uint32_t epoch, std::string_view name) const;
  [[nodiscard]] bool agree() const noexcept { return agree_; }

 private:
  std::map<std::pair<std::uint32_t, std::string>, Buffer> values_;
  bool agree_ = true;
};

struct QkdPair {
  std::string key_id;
  Buffer key;
};

/// One end before its first byte.
struct End {
  std::unique_ptr<Script> script;
  std::unique_ptr<ScriptedProvider> provider;
  Buffer private_key;  ///< raw: an ML-DSA or Ed25519 seed, SLH-DSA's private key; the composite's joined
  std::unique_ptr<crypto::Signer> signer;
  PinnedKey key;
  Buffer spki;
  std::string sae_id;  ///< empty in mode 0
  std::unique_ptr<channel::Session> session;

  [[nodiscard]] Peer pinned(const Scenario& scenario, std::string_view name) const;
};

/// Both ends, freshly opened at time 0. Not to be moved: the sessions point into it.
class Ends {
 public:
  /// Error: what went wrong, for people.
  static std::expected<std::unique_ptr<Ends>, std::string> make(const Scenario& scenario, crypto::Provider& provider);

  [[nodiscard]] End& at(Role role) noexcept { return role == Role::Client ? client_ : server_; }
  [[nodiscard]] const End& at(Role role) const noexcept { return role == Role::Client ? client_ : server_; }
  [[nodiscard]] const Secrets& secrets() const noexcept { return secrets_; }
  /// The link's next key.
  Result<QkdPair> draw_qkd();

 private:
  explicit Ends(crypto::Provider& provider, const Scenario& scenario);
  Result<void> make_keys(const Scenario& scenario);
  Result<void> open(const Scenario& scenario);

  struct OnePeer final : PeerDirectory {
    Peer peer;
    [[nodiscard]] const Peer* find(const Identity& identity) const override {
      return identity == peer.keys.front().identity ? &peer : nullptr;
    }
  };

  crypto::Provider& provider_;
  Script link_;
  Secrets secrets_;
  OnePeer pinned_;
  End client_, server_;
};

/// The time of everything: no timer of a scenario ever runs out.
inline constexpr Instant kNow{};

}  // namespace qsp::vectors
