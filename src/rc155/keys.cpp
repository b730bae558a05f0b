#include "rc155/keys.hpp"

#include <array>
#include <string_view>

#include "base/try.hpp"
#include "wire/cursor.hpp"

namespace qsp::rc155 {
namespace {

Result<EpochKey> derive(crypto::Hkdf& hkdf, Bytes ikm, Bytes salt, crypto::Parts info) {
  QSP_TRY(const auto prk, hkdf.extract(salt, {ikm}));
  EpochKey key;
  QSP_TRY(hkdf.expand(prk.reveal(), info, key.writable()));
  return key;
}

}  // namespace

Result<EpochKey> first_key(crypto::Hkdf& hkdf, const HelloNonce& client, const HelloNonce& server) {
  QSP_TRY(const auto ikm_base, hkdf.hash({as_bytes("QSP153"), client, server}));
  QSP_TRY(const auto salt, hkdf.hash({as_bytes("QSP153-salt")}));
  QSP_TRY(const auto kem, derive(hkdf, ikm_base, salt, {as_bytes("qsp-stage153-handshake-ikm")}));
  return derive(hkdf, kem.reveal(), as_bytes("QSP-Stage155"), {as_bytes("QSP session key epoch1")});
}

Result<EpochKey> next_key(crypto::Hkdf& hkdf, const EpochKey& key, std::uint64_t session_id, std::uint32_t new_epoch,
                          Bytes material) {
  constexpr std::string_view kSaltMagic = "QSP155|";
  std::array<std::uint8_t, kSaltMagic.size() + 8 + 4> salt;
  wire::Writer writer(salt);
  writer.bytes(as_bytes(kSaltMagic));
  writer.u64(session_id);
  writer.u32(new_epoch);
  return derive(hkdf, key.reveal(), salt, {as_bytes("rekey|"), material});
}

Result<crypto::Digest> confirm(crypto::Hkdf& hkdf, Bytes material) { return hkdf.hash({material, as_bytes("ack")}); }

}  // namespace qsp::rc155
