#include <utility>

#include "base/try.hpp"
#include "crypto/spki.hpp"
#include "qsp/peer.hpp"

namespace qsp {

Result<Identity> identity_of(const crypto::PublicKey& key, crypto::Hkdf& hkdf) {
  const std::vector<std::uint8_t> spki = crypto::spki_der(key.algorithm, key.bytes);
  if (spki.empty()) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "a public key of the wrong size");
  return hkdf.hash({spki});
}

Result<PinnedKey> pin(crypto::PublicKey key, crypto::Hkdf& hkdf) {
  QSP_TRY(const Identity identity, identity_of(key, hkdf));
  return PinnedKey{std::move(key), identity};
}

}  // namespace qsp
