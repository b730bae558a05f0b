#include "crypto/spki.hpp"

#include <algorithm>
#include <array>

#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

/// What stands before the raw key: SEQUENCE { SEQUENCE { OID }, BIT STRING with no unused bits }. Every algorithm here
/// has keys of one size and no parameters, so its prefix never changes.
struct Prefix {
  SignatureId id;
  std::uint8_t size;
  std::array<std::uint8_t, 22> bytes;

  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes).first(size); }
  /// The content of its OBJECT IDENTIFIER: what stands between two SEQUENCEs' heads and the BIT STRING's.
  [[nodiscard]] Bytes oid() const noexcept {
    const std::size_t outer = bytes[1] == 0x82 ? 4 : 2;
    return Bytes(bytes).subspan(outer + 4, bytes[outer + 3]);
  }
};

constexpr std::array<Prefix, 5> kPrefixes{{
    // RFC 8410 §3: id-Ed25519, 1.3.101.112
    {SignatureId::Ed25519, 12, {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}},
    // RFC 9881 §2: id-ml-dsa-44, -65, -87, 2.16.840.1.101.3.4.3.17 to .19
    {SignatureId::MlDsa44, 22, {0x30, 0x82, 0x05, 0x32, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                0x01, 0x65, 0x03, 0x04, 0x03, 0x11, 0x03, 0x82, 0x05, 0x21, 0x00}},
    {SignatureId::MlDsa65, 22, {0x30, 0x82, 0x07, 0xb2, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                0x01, 0x65, 0x03, 0x04, 0x03, 0x12, 0x03, 0x82, 0x07, 0xa1, 0x00}},
    {SignatureId::MlDsa87, 22, {0x30, 0x82, 0x0a, 0x32, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                0x01, 0x65, 0x03, 0x04, 0x03, 0x13, 0x03, 0x82, 0x0a, 0x21, 0x00}},
    // RFC 9909 §3: id-slh-dsa-sha2-128s, 2.16.840.1.101.3.4.3.20
    {SignatureId::SlhDsaSha2_128s,
     18,
     {0x30, 0x30, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x14, 0x03, 0x21, 0x00}},
}};

}  // namespace

std::vector<std::uint8_t> spki_der(SignatureId id, Bytes raw) {
  if (raw.size() != info(id).public_key_size) return {};
  if (id == SignatureId::Ed25519MlDsa65) {
    const std::size_t ed25519_size = info(SignatureId::Ed25519).public_key_size;
    std::vector<std::uint8_t> both = spki_der(SignatureId::Ed25519, raw.first(ed25519_size));
    const std::vector<std::uint8_t> ml_dsa = spki_der(SignatureId::MlDsa65, raw.subspan(ed25519_size));
    both.insert(both.end(), ml_dsa.begin(), ml_dsa.end());
    return both;
  }
  const auto* const prefix = std::ranges::find(kPrefixes, id, &Prefix::id);
  if (prefix == kPrefixes.end()) return {};
  std::vector<std::uint8_t> der;
  der.reserve(prefix->size + raw.size());
  der.insert(der.end(), prefix->view().begin(), prefix->view().end());
  der.insert(der.end(), raw.begin(), raw.end());
  return der;
}

Bytes oid_of(SignatureId id) noexcept {
  const auto* const prefix = std::ranges::find(kPrefixes, id, &Prefix::id);
  return prefix == kPrefixes.end() ? Bytes() : prefix->oid();
}

std::optional<SignatureId> algorithm_of_oid(Bytes oid) noexcept {
  const auto* const prefix =
      std::ranges::find_if(kPrefixes, [oid](const Prefix& row) { return std::ranges::equal(row.oid(), oid); });
  return prefix == kPrefixes.end() ? std::nullopt : std::optional(prefix->id);
}

std::optional<PublicKey> public_key_from_spki(Bytes der) {
  for (const Prefix& prefix : kPrefixes) {
    if (der.size() != prefix.size + info(prefix.id).public_key_size) continue;
    if (!std::ranges::equal(der.first(prefix.size), prefix.view())) continue;
    const Bytes raw = der.subspan(prefix.size);
    return PublicKey{prefix.id, {raw.begin(), raw.end()}};
  }
  return std::nullopt;
}

}  // namespace qsp::crypto
