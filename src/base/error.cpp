#include "qsp/error.hpp"

namespace qsp {

std::string_view name(Reason reason) noexcept {
  switch (reason) {
    case Reason::Normal:
      return "NORMAL";
    case Reason::ProtocolError:
      return "PROTOCOL_ERROR";
    case Reason::AeadDecryptFailed:
      return "AEAD_DECRYPT_FAILED";
    case Reason::EpochMismatch:
      return "EPOCH_MISMATCH";
    case Reason::RekeyFailed:
      return "REKEY_FAILED";
    case Reason::HandshakeFailed:
      return "HANDSHAKE_FAILED";
    case Reason::NoCommonSuite:
      return "NO_COMMON_SUITE";
    case Reason::QkdUnavailable:
      return "QKD_UNAVAILABLE";
    case Reason::Timeout:
      return "TIMEOUT";
    case Reason::Limit:
      return "LIMIT";
    case Reason::InternalError:
      return "INTERNAL_ERROR";
  }
  return "UNKNOWN";
}

std::optional<Reason> reason_from_wire(std::uint16_t code) noexcept {
  const auto reason = static_cast<Reason>(code);
  if (name(reason) == "UNKNOWN") return std::nullopt;
  return reason;
}

std::string_view name(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::InvalidMessage:
      return "invalid message";
    case ErrorKind::PeerMisbehaved:
      return "peer misbehaved";
    case ErrorKind::PeerIncompatible:
      return "peer incompatible";
    case ErrorKind::DecryptFailed:
      return "decryption failed";
    case ErrorKind::KeySource:
      return "key source failed";
    case ErrorKind::Provider:
      return "cryptographic provider failed";
    case ErrorKind::Environment:
      return "environment";
    case ErrorKind::ApiMisuse:
      return "API misuse";
    case ErrorKind::Internal:
      return "internal error";
  }
  return "unknown";
}

}  // namespace qsp
