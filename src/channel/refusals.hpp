#pragma once

#include <string_view>

#include "qsp/error.hpp"

/// What a session refuses, by who is to blame. `where` must be a literal.
namespace qsp::channel {

/// The peer sent what no honest one sends at this point.
inline std::unexpected<Error> forbidden(std::string_view where) noexcept {
  return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, where);
}
/// The caller asked for what this session cannot do; nothing has changed.
inline std::unexpected<Error> misuse(std::string_view where) noexcept {
  return fail(ErrorKind::ApiMisuse, Reason::InternalError, where);
}

}  // namespace qsp::channel
