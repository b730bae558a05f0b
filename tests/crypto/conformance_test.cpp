// Every check of the conformance suite, over every provider.
#include "crypto/conformance.hpp"

namespace qsp::crypto::test::conformance {
namespace {

class Conformance : public ProviderTest, public testing::WithParamInterface<std::tuple<const TestedProvider*, Check>> {
 protected:
  Conformance() : ProviderTest(*std::get<0>(GetParam())) {}
};

std::string name_of_both(const testing::TestParamInfo<Conformance::ParamType>& each) {
  return std::string(std::get<0>(each.param)->name).append("_").append(std::get<1>(each.param).name);
}
INSTANTIATE_TEST_SUITE_P(Each, Conformance,
                         testing::Combine(testing::ValuesIn(every_provider()), testing::ValuesIn(checks())),
                         name_of_both);

TEST_P(Conformance, holds) {
  const auto reference = must(tested_providers().front().make());
  for (const std::string& broken : run(std::get<1>(GetParam()), Trial(*provider_, *reference, false))) {
    ADD_FAILURE() << broken;
  }
}

}  // namespace
}  // namespace qsp::crypto::test::conformance
