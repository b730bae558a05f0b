#include "qsp/suites.hpp"

#include <algorithm>
#include <utility>

namespace qsp::crypto {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

template <class Table, class Id>
const auto& row(const Table& table, Id id) noexcept {
  const auto found = std::ranges::find(table, id, [](const auto& entry) { return entry.id; });
  return found == table.end() ? table.front() : *found;
}

template <class Table>
auto by_code(const Table& table, std::uint16_t code) noexcept -> std::optional<decltype(table.front().id)> {
  const auto found = std::ranges::find(table, code, [](const auto& entry) { return std::to_underlying(entry.id); });
  if (found == table.end()) return std::nullopt;
  return found->id;
}

template <class Table>
auto by_name(const Table& table, std::string_view name) noexcept -> std::optional<decltype(table.front().id)> {
  const auto found = std::ranges::find_if(
      table, [&](const auto& entry) { return std::ranges::equal(entry.name, name, {}, lower, lower); });
  if (found == table.end()) return std::nullopt;
  return found->id;
}

}  // namespace

const KemInfo& info(KemId id) noexcept { return row(kKems, id); }
const SignatureInfo& info(SignatureId id) noexcept { return row(kSignatures, id); }
const AeadInfo& info(AeadId id) noexcept { return row(kAeads, id); }

std::optional<KemId> kem_from_wire(std::uint16_t code) noexcept { return by_code(kKems, code); }
std::optional<SignatureId> signature_from_wire(std::uint16_t code) noexcept { return by_code(kSignatures, code); }
std::optional<AeadId> aead_from_wire(std::uint16_t code) noexcept { return by_code(kAeads, code); }

std::optional<KemId> kem_by_name(std::string_view name) noexcept { return by_name(kKems, name); }
std::optional<SignatureId> signature_by_name(std::string_view name) noexcept { return by_name(kSignatures, name); }
std::optional<AeadId> aead_by_name(std::string_view name) noexcept { return by_name(kAeads, name); }

}  // namespace qsp::crypto
