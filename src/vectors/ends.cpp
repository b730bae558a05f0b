#include "vectors/ends.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/big_endian.hpp"
#include "base/try.hpp"
#include "base/uuid.hpp"
#include "crypto/spki.hpp"

namespace qsp::vectors {
namespace {

using crypto::SignatureId;

/// The start of a PKCS#8 private key up to its raw bytes (RFC 8410 §7, RFC 9881 §6 as a seed, RFC 9909 §6).
struct KeyFormat {
  SignatureId id;
  std::size_t size;  ///< of the raw bytes
  std::vector<std::uint8_t> prefix;
};

KeyFormat ml_dsa(SignatureId id, std::uint8_t arc) {
  return {id, 32, {0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86,
                   0x48, 0x01, 0x65, 0x03, 0x04, 0x03, arc,  0x04, 0x22, 0x80, 0x20}};
}

KeyFormat format_of(SignatureId id) {
  switch (id) {
    case SignatureId::MlDsa44:
      return ml_dsa(id, 0x11);
    case SignatureId::MlDsa87:
      return ml_dsa(id, 0x13);
    case SignatureId::SlhDsaSha2_128s:
      return {id, 64, {0x30, 0x52, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60,
                       0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x14, 0x04, 0x40}};
    case SignatureId::Ed25519:
      return {id, 32, {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20}};
    case SignatureId::MlDsa65:
    case SignatureId::Ed25519MlDsa65:
      return ml_dsa(SignatureId::MlDsa65, 0x12);
  }
  return {};
}

std::string pem(const KeyFormat& format, Bytes raw) {
  Buffer der = format.prefix;
  der.insert(der.end(), raw.begin(), raw.end());
  std::array<unsigned char, 256> text{};  // at most 84 bytes are encoded
  const int size = EVP_EncodeBlock(text.data(), der.data(), static_cast<int>(der.size()));
  std::string lines = "-----BEGIN PRIVATE KEY-----\n";
  for (int at = 0; at < size; at += 64) {
    lines.append(reinterpret_cast<const char*>(text.data()) + at, static_cast<std::size_t>(std::min(64, size - at)));
    lines += '\n';
  }
  return lines + "-----END PRIVATE KEY-----\n";
}

/// PK.root of the SLH-DSA key whose SK.seed ‖ SK.prf ‖ PK.seed are 48 bytes 0x41 (client) or 0x42 (server): no
/// interface of a provider computes it from a seed. For tests only, as every key here.
Buffer slh_dsa_key(Role role) {
  const bool client = role == Role::Client;
  static constexpr std::array<std::uint8_t, 16> kClientRoot{0x06, 0xf2, 0x2e, 0xe0, 0xab, 0xd1, 0x6a, 0x09,
                                                            0xa0, 0xa7, 0xf2, 0x8f, 0x9d, 0xc9, 0xac, 0x9c};
  static constexpr std::array<std::uint8_t, 16> kServerRoot{0xe6, 0x9b, 0x13, 0x28, 0x12, 0x85, 0x24, 0x33,
                                                            0x0d, 0xee, 0x5e, 0xa7, 0xe4, 0x32, 0xf1, 0xff};
  Buffer key(48, client ? 0x41 : 0x42);
  const Bytes root = client ? kClientRoot : kServerRoot;
  key.insert(key.end(), root.begin(), root.end());
  return key;
}

/// A signer and its raw private key; both parts of the composite.
Result<std::unique_ptr<crypto::Signer>> make_signer(End& end, SignatureId id, Role role) {
  std::string text;
  std::vector<KeyFormat> formats{format_of(id)};
  if (id == SignatureId::Ed25519MlDsa65) formats.insert(formats.begin(), format_of(SignatureId::Ed25519));
  for (const KeyFormat& format : formats) {
    Buffer raw(format.size);
    if (id == SignatureId::SlhDsaSha2_128s) {
      raw = slh_dsa_key(role);
    } else {
      QSP_TRY(end.script->fill(raw));
    }
    text += pem(format, raw);
    end.private_key.insert(end.private_key.end(), raw.begin(), raw.end());
  }
  return end.provider->load_signer(text, nullptr);
}

}  // namespace

Result<void> Script::fill(MutableBytes out) {
  QSP_TRY(const auto seed, hkdf_.hash({as_bytes(name_)}));
  const auto info = big_endian<4>(draws_.size());
  QSP_TRY(hkdf_.expand(seed, {info}, out));
  draws_.emplace_back(out.begin(), out.end());
  return {};
}

void Secrets::secret(std::string_view name, std::uint32_t epoch, Bytes value) {
  const auto [at, fresh] = values_.try_emplace({epoch, std::string(name)}, value.begin(), value.end());
  if (!fresh && !std::ranges::equal(at->second, value)) agree_ = false;
}

Bytes Secrets::at(std::uint32_t epoch, std::string_view name) const {
  const auto found = values_.find({epoch, std::string(name)});
  return found == values_.end() ? Bytes{} : Bytes(found->second);
}

Peer End::pinned(const Scenario& scenario, std::string_view name) const {
  return {.name = std::string(name),
          .keys = {key},
          .may_connect = true,
          .may_serve = true,
          .qkd = scenario.qkd,
          .sae_id = sae_id,
          .rekey_demands_kem = false};
}

Ends::Ends(crypto::Provider& provider, const Scenario& scenario)
    : provider_(provider), link_(provider.hkdf(), std::string(scenario.name) + " link") {}

std::expected<std::unique_ptr<Ends>, std::string> Ends::make(const Scenario& scenario, crypto::Provider& provider) {
  std::unique_ptr<Ends> ends(new Ends(provider, scenario));
  Result<void> done = ends->make_keys(scenario);
  if (done) done = ends->open(scenario);
  if (!done) return std::unexpected(std::string(scenario.name) + ": " + std::string(done.error().where));
  return ends;
}

Result<void> Ends::make_keys(const Scenario& scenario) {
  for (const Role role : {Role::Client, Role::Server}) {
    End& end = at(role);
    // Keys have a script of their own: a session's draws start with its own first.
    end.script =
        std::make_unique<Script>(provider_.hkdf(), std::string(scenario.name) + " key " + std::string(name_of(role)));
    end.provider = std::make_unique<ScriptedProvider>(provider_, *end.script);
    QSP_TRY(auto signer, make_signer(end, scenario.signature, role));
    end.signer = std::move(signer);
    QSP_TRY(auto pinned, pin(end.signer->public_key(), provider_.hkdf()));
    end.key = std::move(pinned);
    end.spki = crypto::spki_der(end.key.key.algorithm, end.key.key.bytes);
    if (scenario.qkd != QkdPolicy::None) end.sae_id = role == Role::Client ? "SAE-alice" : "SAE-bob";
    end.script =
        std::make_unique<Script>(provider_.hkdf(), std::string(scenario.name) + " " + std::string(name_of(role)));
    end.provider = std::make_unique<ScriptedProvider>(provider_, *end.script);
  }
  return {};
}

Result<void> Ends::open(const Scenario& scenario) {
  pinned_.peer = client_.pinned(scenario, "alice");
  ClientOptions client;
  client.kems = {scenario.kem};
  client.applications = {"vectors"};
  client.sae_id = client_.sae_id;
  client.signer = client_.signer.get();
  client.peer = server_.pinned(scenario, "bob");
  ServerOptions server;
  server.kems = {scenario.kem};
  server.aeads = {scenario.aead};
  server.applications = {"vectors"};
  server.sae_id = server_.sae_id;
  server.rekey.light = scenario.light;
  server.signers = {server_.signer.get()};
  server.client_signatures = {scenario.signature};
  server.peers = &pinned_;
  server.qkd = scenario.qkd;
  for (const Role role : {Role::Client, Role::Server}) {
    at(role).session = std::make_unique<channel::Session>(role, *at(role).provider, &secrets_);
  }
  QSP_TRY(client_.session->open(std::move(client), kNow));
  return server_.session->open(std::move(server), kNow);
}

Result<QkdPair> Ends::draw_qkd() {
  Uuid id{};
  QkdPair pair{.key_id = {}, .key = Buffer(QkdKey::kCapacity)};
  QSP_TRY(link_.fill(id));
  QSP_TRY(link_.fill(pair.key));
  pair.key_id = uuid_text(uuid_of(id, 4));
  return pair;
}

}  // namespace qsp::vectors
