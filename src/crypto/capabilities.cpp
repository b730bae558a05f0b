#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

/// "the cryptographic provider lacks …", made by the compiler, since an error's text is static.
class Refusal {
 public:
  constexpr Refusal() = default;
  constexpr explicit Refusal(std::string_view name) noexcept {
    for (const std::string_view part : {kBefore, name}) {
      for (const char c : part) text_[size_++] = c;
    }
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  static constexpr std::string_view kBefore = "the cryptographic provider lacks ";
  std::array<char, 64> text_{};
  std::size_t size_ = 0;
};

template <class Row, std::size_t Size>
constexpr std::array<Refusal, Size> refusals_of(const std::array<Row, Size>& table) noexcept {
  std::array<Refusal, Size> refusals;
  for (std::size_t i = 0; i < Size; ++i) refusals[i] = Refusal(table[i].name);
  return refusals;
}

constexpr auto kNoKem = refusals_of(kKems);
constexpr auto kNoSignature = refusals_of(kSignatures);
constexpr auto kNoAead = refusals_of(kAeads);

/// The table's row is the refusal's place in its list.
template <class Table, class Refusals>
std::unexpected<Error> refuse(const Table& table, const Refusals& refusals,
                              const typename Table::value_type& row) noexcept {
  return fail(ErrorKind::Provider, Reason::InternalError,
              refusals[static_cast<std::size_t>(&row - table.data())].view());
}

}  // namespace

bool Capabilities::has(KemId id) const noexcept { return std::ranges::find(kems, id) != kems.end(); }
bool Capabilities::has(SignatureId id) const noexcept { return std::ranges::find(signatures, id) != signatures.end(); }
bool Capabilities::has(AeadId id) const noexcept { return std::ranges::find(aeads, id) != aeads.end(); }

Capabilities whole_suite() {
  Capabilities all;
  for (const KemInfo& row : kKems) all.kems.push_back(row.id);
  for (const SignatureInfo& row : kSignatures) all.signatures.push_back(row.id);
  for (const AeadInfo& row : kAeads) all.aeads.push_back(row.id);
  return all;
}

std::unexpected<Error> lacks(KemId id) noexcept { return refuse(kKems, kNoKem, info(id)); }
std::unexpected<Error> lacks(SignatureId id) noexcept { return refuse(kSignatures, kNoSignature, info(id)); }
std::unexpected<Error> lacks(AeadId id) noexcept { return refuse(kAeads, kNoAead, info(id)); }

Result<std::unique_ptr<Keystream>> Provider::keystream(TrafficKey&& key) {
  const TrafficKey taken = std::move(key);
  return fail(ErrorKind::Provider, Reason::InternalError, "the cryptographic provider lacks a keystream");
}

std::string_view Provider::library_of(const Algorithm& /*algorithm*/) const noexcept { return description(); }

}  // namespace qsp::crypto
