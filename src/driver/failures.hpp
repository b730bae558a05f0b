#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "qsp/endpoint.hpp"
#include "qsp/failure.hpp"

/// What a program is told where a session, or its connection, came to nothing.
namespace qsp::driver {

inline std::unexpected<Failure> misuse(std::string_view where) {
  return std::unexpected(Failure{{ErrorKind::ApiMisuse, Reason::InternalError, where}, std::string(where)});
}

/// Nobody answers, or an address cannot be listened on.
inline Failure no_connection(std::string text) {
  return {{ErrorKind::Environment, Reason::HandshakeFailed, "no connection"}, std::move(text)};
}

constexpr ErrorKind kind_of(Reason reason) noexcept {
  switch (reason) {
    case Reason::Normal:
    case Reason::Timeout:
    case Reason::Limit:
      return ErrorKind::Environment;
    case Reason::ProtocolError:
    case Reason::EpochMismatch:
    case Reason::RekeyFailed:
      return ErrorKind::PeerMisbehaved;
    case Reason::AeadDecryptFailed:
      return ErrorKind::DecryptFailed;
    case Reason::HandshakeFailed:
    case Reason::NoCommonSuite:
      return ErrorKind::PeerIncompatible;
    case Reason::QkdUnavailable:
      return ErrorKind::KeySource;
    case Reason::InternalError:
      break;
  }
  return ErrorKind::Internal;
}

/// Why a session is over. What the peer wrote stays out of it: Closed has that.
inline std::unexpected<Failure> failure_of(const Closed& closed, bool established) {
  std::string text(established ? "the session has ended: " : "the handshake failed: ");
  text.append(name(closed.reason));
  if (closed.by_peer) {
    text.append(", by the peer");
  } else if (!closed.text.empty()) {
    text.append(": ").append(closed.text);
  }
  return std::unexpected(Failure{{kind_of(closed.reason), closed.reason, "the session has ended"}, std::move(text)});
}

}  // namespace qsp::driver
