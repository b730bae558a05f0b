#pragma once

#include <openssl/err.h>

#include <string_view>

#include "base/owned.hpp"
#include "qsp/error.hpp"

/// What every part of the AWS-LC provider shares. This room's <openssl/…> is AWS-LC's, whose names all bear a prefix.
namespace qsp::crypto::awslc {

/// Fails and leaves nothing behind in AWS-LC's error queue, which grows with each failure.
inline std::unexpected<Error> fail_clean(ErrorKind kind, Reason reason, std::string_view where) noexcept {
  ERR_clear_error();
  return fail(kind, reason, where);
}

/// The library failed at something that does not depend on a peer.
inline std::unexpected<Error> fail_provider(std::string_view where) noexcept {
  return fail_clean(ErrorKind::Provider, Reason::InternalError, where);
}

}  // namespace qsp::crypto::awslc
