#include "crypto/conformance.hpp"

#include <algorithm>
#include <ostream>

namespace qsp::crypto::test::conformance {

Result<void> Stream::fill(MutableBytes out) {
  if (out.size() > limit_ - drawn_) return fail(ErrorKind::Provider, Reason::InternalError, "the stream has run out");
  drawn_ += out.size();
  for (std::uint8_t& byte : out) {  // xorshift64*; one byte of each step, so that the cut into calls does not matter
    if (state_ == 0) state_ = 0x9e3779b97f4a7c15;
    state_ ^= state_ >> 12U;
    state_ ^= state_ << 25U;
    state_ ^= state_ >> 27U;
    byte = static_cast<std::uint8_t>((state_ * 0x2545f4914f6cdd1d) >> 56U);
  }
  return {};
}

std::vector<Layout> Trial::kems() const {
  std::vector<Layout> all;
  std::ranges::copy_if(kLayouts, std::back_inserter(all), [&](const Layout& layout) {
    return provider_->capabilities().has(layout.id) && reference_->capabilities().has(layout.id);
  });
  return all;
}

std::vector<AeadId> Trial::aeads() const {
  std::vector<AeadId> all = provider_->capabilities().aeads;
  std::erase_if(all, [&](AeadId id) { return !reference_->capabilities().has(id); });
  return all;
}

std::vector<SignatureId> Trial::signatures() const {
  std::vector<SignatureId> all = provider_->capabilities().signatures;
  std::erase_if(all, [&](SignatureId id) {
    return !reference_->capabilities().has(id) || (quick_ && id == SignatureId::SlhDsaSha2_128s);
  });
  return all;
}

void Trial::expect(bool holds, std::string_view what, std::string_view of) {
  constexpr std::size_t kKept = 8;
  if (holds || broken_.size() == kKept) return;
  broken_.push_back(std::string(of).append(of.empty() ? "" : ": ").append(what));
}

void Trial::expect_equal(Bytes one, Bytes other, std::string_view what, std::string_view of) {
  expect(std::ranges::equal(one, other), what, of);
}

void PrintTo(const Check& check, std::ostream* out) { *out << check.name; }

const std::vector<Check>& checks() {
  static const std::vector<Check> all = [] {
    std::vector<Check> joined;
    for (const auto& part : {kem_checks(), share_checks(), aead_checks(), hkdf_checks(), signature_checks(),
                             key_checks(), provider_checks()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

std::vector<std::string> run(const Check& check, Trial trial) {
  try {
    check.work(trial);
  } catch (const Trial::Over&) {
    // What could not go on has already been written down.
  }
  return std::move(trial.broken_);
}

Buffer filled(std::size_t size, std::uint64_t seed) {
  Buffer bytes(size);
  static_cast<void>(Stream(seed).fill(bytes));  // without a limit it cannot fail
  return bytes;
}

Buffer flipped(Bytes bytes, std::size_t at, std::uint8_t mask) {
  Buffer altered = copy(bytes);
  altered[at] ^= mask;
  return altered;
}

}  // namespace qsp::crypto::test::conformance
