#pragma once

#include "qsp/channel.hpp"

namespace qsp::channel {

/// Checks SPEC's bounds on what a caller may configure, and leaves of the algorithms those that the provider has: what
/// it lacks is neither offered nor accepted. Errors: ApiMisuse/INTERNAL_ERROR with the field's name; Provider, with the
/// algorithm's, where none is left.
Result<void> settle(ClientOptions& options, const crypto::Provider& provider);
Result<void> settle(ServerOptions& options, const crypto::Provider& provider);

}  // namespace qsp::channel
