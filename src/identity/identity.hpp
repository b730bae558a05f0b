#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "qsp/crypto.hpp"
#include "qsp/error.hpp"
#include "qsp/peer.hpp"

namespace qsp::identity {

/// The identity of a key on the wire: SHA-256 of its SubjectPublicKeyInfo in DER; for the composite, of both of its in
/// turn (SPEC §4). Errors: ApiMisuse where the key has not its algorithm's size; Provider.
Result<Identity> identity_of(const crypto::PublicKey& key, crypto::Hkdf& hkdf);

/// The key together with its identity. Errors as identity_of.
Result<PinnedKey> pin(crypto::PublicKey key, crypto::Hkdf& hkdf);

/// An identity for people: "qsp1:" and 64 lower-case hex digits. One word, so a double click copies it whole; and but
/// for its prefix it is what `openssl pkey -pubin -in FILE.pub -outform DER | sha256sum` prints of a key that is not
/// composite.
std::string fingerprint(const Identity& identity);

/// The identity behind a fingerprint, in either case of letters; nothing for any other text.
std::optional<Identity> parse_fingerprint(std::string_view text);

}  // namespace qsp::identity
