#pragma once

#include "qsp/channel.hpp"

namespace qsp::channel {

/// SPEC's bounds on what a caller may configure, and that the provider has every KEM named.
/// Errors: ApiMisuse/INTERNAL_ERROR with the field's name; Provider.
Result<void> check(const ClientOptions& options, crypto::Provider& provider);
Result<void> check(const ServerOptions& options, crypto::Provider& provider);

}  // namespace qsp::channel
