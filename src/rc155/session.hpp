#pragma once

#include <memory>

#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"

/// The Stage155 release candidate's profile, byte for byte (protocol.md §11, SPEC_155). It gives no security: anyone who
/// records a session can compute its keys. docs/rc155.md shows how. Kept for reproduction and interoperability.
namespace qsp::rc155 {

/// Makes one end of an rc155 session. `provider` outlives it.
/// Error: Provider/INTERNAL_ERROR.
Result<std::unique_ptr<Endpoint>> dangerous_make_session(Role role, crypto::Provider& provider);

}  // namespace qsp::rc155
