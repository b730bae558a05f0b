#pragma once

#include <iosfwd>
#include <string_view>
#include <vector>

#include "crypto/faulty.hpp"

/// Ways to break a provider, each with the check of the conformance suite that has to notice.
namespace qsp::crypto::test {

struct Fault {
  std::string_view name;     ///< of a provider that …
  std::string_view noticed;  ///< by this check
  void (*breaks)(Faults& faults);
};
void PrintTo(const Fault& fault, std::ostream* out);

std::vector<Fault> kem_faults();
std::vector<Fault> aead_faults();
std::vector<Fault> hkdf_faults();
std::vector<Fault> signature_faults();
std::vector<Fault> key_faults();
std::vector<Fault> provider_faults();
/// All of them.
const std::vector<Fault>& all_faults();

}  // namespace qsp::crypto::test
