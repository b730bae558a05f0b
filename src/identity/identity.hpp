#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "qsp/crypto.hpp"
#include "qsp/error.hpp"
#include "qsp/peer.hpp"

namespace qsp::identity {

using qsp::identity_of;
using qsp::pin;

/// An identity for people: "qsp1:" and 64 lower-case hex digits. One word, so a double click copies it whole; and but
/// for its prefix it is what `openssl pkey -pubin -in FILE.pub -outform DER | sha256sum` prints of a key that is not
/// composite.
std::string fingerprint(const Identity& identity);

/// The identity behind a fingerprint, in either case of letters; nothing for any other text.
std::optional<Identity> parse_fingerprint(std::string_view text);

}  // namespace qsp::identity
