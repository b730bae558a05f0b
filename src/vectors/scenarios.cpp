#include <algorithm>
#include <array>
#include <iterator>

#include "vectors/vectors.hpp"

namespace qsp::vectors {
namespace {

using crypto::AeadId;
using crypto::KemId;
using crypto::SignatureId;
using Kind = Alteration::Kind;

constexpr PlannedRekey kByServer{};
constexpr PlannedRekey kByClient{.asked_by = Role::Client};

// Offsets in a frame's header (SPEC §2.1) and in an ACK (SPEC §7.1).
constexpr int kType = 0, kFlags = 1, kSessionId = 2, kEpoch = 13, kSeq = 17, kLength = 18;
constexpr int kFirstPayloadByte = 22;
constexpr int kAckConfirm = 9;
// CLIENT_AUTH ends with its signature and 32 bytes of confirm, SERVER_AUTH with its signature.
constexpr int kClientSignatureEnd = -33, kServerSignatureEnd = -1;
constexpr int kServerEd25519 = -(64 + 3309);

constexpr Alteration kTag{"one bit of an APP_DATA frame's tag", Target::ClientData, Kind::Frame, -1};
constexpr Alteration kWrongAck{"a confirm that differs, as it would with a corrupt QKD key", Target::Ack,
                               Kind::Resealed, kAckConfirm};
constexpr Alteration kServerSignature{"one bit of the server's signature", Target::ServerAuth, Kind::Resealed,
                                      kServerSignatureEnd};
constexpr Alteration kClientSignature{"one bit of the client's signature", Target::ClientAuth, Kind::Resealed,
                                      kClientSignatureEnd};

/// A frame for every check of SPEC §2.5 but the limits, and one for each kind of content that is refused.
std::vector<Alteration> every_check() {
  return {
      {"the magic of CLIENT_HELLO", Target::ClientHello, Kind::Frame, kFirstPayloadByte + 4},
      {"a session_id in CLIENT_HELLO's header", Target::ClientHello, Kind::Frame, kSessionId},
      {"a type that is not assigned", Target::ClientData, Kind::Frame, kType, 0x02 ^ 0x05},
      {"a flag that is not assigned", Target::ClientData, Kind::Frame, kFlags, 2},
      {"END on a REKEY frame", Target::Ack, Kind::Frame, kFlags, 1},
      {"a HANDSHAKE frame after Established", Target::ClientData, Kind::Frame, kType, 0x02 ^ 0x01},
      {"an APP_DATA frame in the handshake", Target::ClientAuth, Kind::Frame, kType, 0x01 ^ 0x02},
      {"a payload_len beyond its type's bound", Target::ClientData, Kind::Frame, kLength, 0xff},
      {"another session_id", Target::ServerData, Kind::Frame, kSessionId},
      {"an epoch that is not accepted yet", Target::ServerData, Kind::Frame, kEpoch, 0x01 ^ 0x02},
      {"the new epoch begins with APP_DATA", Target::Done, Kind::Frame, kType, 0x03 ^ 0x02},
      {"a frame left out", Target::ClientData, Kind::Frame, kSeq},
      {"the frame before, again", Target::ClientData, Kind::Replay},
      kTag,
      {"one bit of a ciphertext", Target::ServerData, Kind::Frame, kFirstPayloadByte},
      {"END set on the way: the header is authenticated", Target::ClientData, Kind::Frame, kFlags, 1},
      kServerSignature,
      kClientSignature,
      {"a wrong confirm in CLIENT_AUTH", Target::ClientAuth, Kind::Resealed, -1},
      {"a wrong confirm in SERVER_FINISH", Target::ServerFinish, Kind::Resealed, -1},
      {"a wrong confirm in ACK", Target::Ack, Kind::Resealed, kAckConfirm},
      {"an ACK for another epoch", Target::Ack, Kind::Resealed, 8, 0x02 ^ 0x03},
      {"a DONE for another epoch", Target::Done, Kind::Resealed, 8, 0x02 ^ 0x03},
  };
}

/// The default suite, with and without QKD, and the other KEMs.
std::vector<Scenario> kem_scenarios() {
  return {
      {.name = "basic",
       .description =
           "The default suite without QKD, one rekey in the default form, and a frame for every header check",
       .rekeys = {kByServer},
       .failing = every_check()},
      {.name = "qkd",
       .description = "The default suite with a QKD key in the handshake and in a rekey that the client asks for",
       .qkd = QkdPolicy::Required,
       .rekeys = {kByClient},
       .failing = {kTag, kWrongAck}},
      {.name = "chacha_p256",
       .description = "SecP256r1MLKEM768, ML-DSA-44 and ChaCha20-Poly1305",
       .kem = KemId::SecP256r1MlKem768,
       .signature = SignatureId::MlDsa44,
       .aead = AeadId::ChaCha20Poly1305,
       .rekeys = {kByServer},
       .failing = {kTag, kClientSignature}},
      {.name = "p384_mldsa87",
       .description = "SecP384r1MLKEM1024 and ML-DSA-87",
       .kem = KemId::SecP384r1MlKem1024,
       .signature = SignatureId::MlDsa87,
       .rekeys = {kByServer},
       .failing = {kServerSignature}},
      {.name = "mlkem512",
       .description = "ML-KEM-512 alone",
       .kem = KemId::MlKem512,
       .rekeys = {kByServer},
       .failing = {kTag}},
      {.name = "mlkem768",
       .description = "ML-KEM-768 alone",
       .kem = KemId::MlKem768,
       .rekeys = {kByServer},
       .failing = {kTag}},
      {.name = "mlkem1024",
       .description = "ML-KEM-1024 alone",
       .kem = KemId::MlKem1024,
       .rekeys = {kByServer},
       .failing = {kTag}},
  };
}

/// Signatures that are not ML-DSA alone.
std::vector<Scenario> signature_scenarios() {
  return {
      {.name = "composite",
       .description = "Ed25519+ML-DSA-65: a session fails whichever of the two signatures is wrong",
       .signature = SignatureId::Ed25519MlDsa65,
       .light = true,
       .rekeys = {kByServer},
       .failing = {{"one bit of the server's Ed25519 signature", Target::ServerAuth, Kind::Resealed, kServerEd25519},
                   {"one bit of the server's ML-DSA-65 signature", Target::ServerAuth, Kind::Resealed,
                    kServerSignatureEnd}}},
      {.name = "slhdsa",
       .description = "SLH-DSA-SHA2-128s",
       .signature = SignatureId::SlhDsaSha2_128s,
       .light = true,
       .rekeys = {kByServer},
       .failing = {kServerSignature}},
      {.name = "ed25519",
       .description = "Ed25519 alone, which is not quantum-safe and never a default",
       .signature = SignatureId::Ed25519,
       .light = true,
       .rekeys = {kByServer},
       .failing = {kServerSignature, kClientSignature}},
  };
}

/// Several rekeys of each form.
std::vector<Scenario> rekey_scenarios() {
  return {
      {.name = "rekeys_light",
       .description = "Four epochs in mode 0, each from material alone; ChaCha20-Poly1305",
       .aead = AeadId::ChaCha20Poly1305,
       .light = true,
       .rekeys = {kByServer, kByClient, kByServer},
       .failing = {kWrongAck}},
      {.name = "rekeys_kem",
       .description =
           "Four epochs in mode 0, each with a fresh KEM secret; the client's END comes before the last rekey",
       .rekeys = {kByServer, kByClient, kByServer},
       .client_ends_early = true,
       .failing = {kWrongAck, {"APP_DATA after END", Target::Ack, Kind::Frame, kType, 0x03 ^ 0x02}}},
      {.name = "rekeys_kem_qkd",
       .description = "Four epochs in mode 1, each with a fresh KEM secret and a QKD key",
       .qkd = QkdPolicy::Required,
       .rekeys = {kByServer, kByClient, kByServer},
       .failing = {kWrongAck}},
      {.name = "rekeys_outage",
       .description =
           "QKD preferred: REQ, a NAK answered with a KEM-only INIT, then a failed enc_keys with the same end, "
           "then a QKD key again",
       .qkd = QkdPolicy::Preferred,
       .rekeys = {{.asked_by = Role::Client, .kme = Kme::FailsAtClient},
                  {.asked_by = Role::Server, .kme = Kme::FailsAtServer},
                  kByServer},
       .failing = {kTag}},
  };
}

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all;
  for (std::vector<Scenario>& some : std::array{kem_scenarios(), signature_scenarios(), rekey_scenarios()}) {
    std::ranges::move(some, std::back_inserter(all));
  }
  return all;
}

}  // namespace

std::span<const Scenario> scenarios() {
  static const std::vector<Scenario> all = all_scenarios();
  return all;
}

}  // namespace qsp::vectors
