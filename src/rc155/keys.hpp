#pragma once

#include <cstdint>

#include "qsp/crypto.hpp"
#include "qsp/secret.hpp"
#include "rc155/messages.hpp"

/// The key schedule of Stage155:
///
///   ikm_base = SHA256("QSP153" ‖ client_nonce ‖ server_nonce)                                             SPEC_155
///   §5.2 kem      = HKDF(ikm_base, salt = SHA256("QSP153-salt"), info = "qsp-stage153-handshake-ikm", 32) K[1]     =
///   HKDF(kem ‖ qkd, salt = "QSP-Stage155", info = "QSP session key epoch1", 32), qkd empty     SPEC_155 §4.4 K[e+1] =
///   HKDF(K[e], salt = "QSP155|" ‖ session_id u64 ‖ (e+1) u32, info = "rekey|" ‖ material, 32) confirm  =
///   SHA256(material ‖ "ack")                                                                   SPEC_155 §7.2
///
/// Nothing secret enters K[1]: both nonces cross the wire in clear. Error of each function: Provider/INTERNAL_ERROR.
namespace qsp::rc155 {

/// K[e]: the AEAD key of both directions in epoch e, and the input of K[e+1].
using EpochKey = Secret<32, struct EpochKeyTag>;

/// What a server puts into an INIT.
using Material = Secret<kRekeyBodySize, struct MaterialTag>;

Result<EpochKey> first_key(crypto::Hkdf& hkdf, const HelloNonce& client, const HelloNonce& server);

/// K[new_epoch] from K[new_epoch - 1].
Result<EpochKey> next_key(crypto::Hkdf& hkdf, const EpochKey& key, std::uint64_t session_id, std::uint32_t new_epoch,
                          Bytes material);

Result<crypto::Digest> confirm(crypto::Hkdf& hkdf, Bytes material);

}  // namespace qsp::rc155
