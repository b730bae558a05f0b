// Each check of the conformance suite notices a provider that is broken in what the check is about.
#include <algorithm>
#include <iterator>

#include "crypto/conformance.hpp"
#include "crypto/faults.hpp"

namespace qsp::crypto::test {

const std::vector<Fault>& all_faults() {
  static const std::vector<Fault> all = [] {
    std::vector<Fault> joined;
    for (const auto& part :
         {kem_faults(), aead_faults(), hkdf_faults(), signature_faults(), key_faults(), provider_faults()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

namespace {

using conformance::Check;
using conformance::checks;

class EachFault : public ProviderTest, public testing::WithParamInterface<Fault> {};
INSTANTIATE_TEST_SUITE_P(Each, EachFault, testing::ValuesIn(all_faults()),
                         [](const auto& each) { return std::string(each.param.name); });

std::vector<std::string> found_by(const Check& check, Provider& inner, const Faults& faults) {
  const auto reference = must(tested_providers().front().make());
  const auto broken = make_faulty_provider(inner, faults);
  return run(check, conformance::Trial(*broken, *reference, true));
}

TEST_P(EachFault, is_noticed_by_its_check) {
  const auto check = std::ranges::find(checks(), GetParam().noticed, &Check::name);
  ASSERT_NE(check, checks().end()) << "there is no check " << GetParam().noticed;
  Faults faults;
  GetParam().breaks(faults);
  EXPECT_FALSE(found_by(*check, *provider_, faults).empty()) << check->name << " does not notice";
}

TEST(Faults, there_is_one_for_every_check) {
  for (const Check& check : checks()) {
    EXPECT_EQ(std::ranges::count(all_faults(), check.name, &Fault::noticed) > 0, true) << check.name;
  }
}

class NoFault : public ProviderTest {};

/// What notices a fault must be the fault, and not what it is wrapped in.
TEST_F(NoFault, is_found_in_the_wrapper_alone) {
  for (const Check& check : checks()) {
    EXPECT_EQ(found_by(check, *provider_, {}), std::vector<std::string>()) << check.name;
  }
}

}  // namespace
}  // namespace qsp::crypto::test
