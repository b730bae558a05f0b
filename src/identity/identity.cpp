#include "identity/identity.hpp"

#include "base/hex.hpp"

namespace qsp::identity {
namespace {

constexpr std::string_view kPrefix = "qsp1:";

}  // namespace

std::string fingerprint(const Identity& identity) { return std::string(kPrefix) + to_hex(identity); }

std::optional<Identity> parse_fingerprint(std::string_view text) {
  Identity identity{};
  if (!text.starts_with(kPrefix) || !from_hex(text.substr(kPrefix.size()), identity)) return std::nullopt;
  return identity;
}

}  // namespace qsp::identity
