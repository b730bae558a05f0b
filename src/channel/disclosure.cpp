#include "channel/disclosure.hpp"

namespace qsp::channel {
namespace {

Reason precise(const Error& error) noexcept {
  switch (error.kind) {
    case ErrorKind::InvalidMessage:
    case ErrorKind::PeerMisbehaved:
    case ErrorKind::PeerIncompatible:
    case ErrorKind::KeySource:
      return error.reason;
    case ErrorKind::DecryptFailed:
      return Reason::AeadDecryptFailed;
    case ErrorKind::Internal:
      return error.reason;
    case ErrorKind::Provider:
    case ErrorKind::Environment:
    case ErrorKind::ApiMisuse:
      return Reason::InternalError;
  }
  return Reason::InternalError;
}

}  // namespace

Disclosure disclose(const Error& error, Audience audience) noexcept {
  const Reason reason = precise(error);
  if (audience == Audience::Unauthenticated) {
    // §5.8: "NO_COMMON_SUITE if that is the local reason, else HANDSHAKE_FAILED".
    return {reason == Reason::NoCommonSuite ? reason : Reason::HandshakeFailed, ""};
  }
  return {reason, error.where};
}

}  // namespace qsp::channel
