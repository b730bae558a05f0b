#pragma once

#include <optional>
#include <string_view>

#include "qsp/bytes.hpp"

namespace qsp::net {

/// A protocol that people meet at a wrong port.
struct Foreign {
  std::string_view name;  ///< "SSH", "HTTP", "TLS"
  std::string_view article;
};

/// What a stream's first bytes say that it is, where it is not QSP but something well known. Nothing: QSP, unknown, or
/// too few bytes to tell. No frame begins like these: its first byte is 1 to 4 (SPEC §2.1).
std::optional<Foreign> foreign_protocol(Bytes first) noexcept;

}  // namespace qsp::net
