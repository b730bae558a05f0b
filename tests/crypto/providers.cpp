#include "crypto/providers.hpp"

#include <ostream>

#include "qsp/openssl.hpp"
#ifdef QSP_AWSLC
#include "qsp/awslc.hpp"
#endif

namespace qsp::crypto::test {

std::span<const TestedProvider> tested_providers() {
  static const std::vector<TestedProvider> all{
      {"OpenSSL", [] { return make_openssl_provider(); }, {}, false, false},
#ifdef QSP_AWSLC
      {"AwsLc", [] { return make_awslc_provider(); }, {.signatures = {SignatureId::SlhDsaSha2_128s}}, true, true},
#endif
  };
  return all;
}

std::vector<const TestedProvider*> every_provider() {
  std::vector<const TestedProvider*> all;
  for (const TestedProvider& each : tested_providers()) all.push_back(&each);
  return all;
}

void PrintTo(const TestedProvider* provider, std::ostream* out) { *out << provider->name; }

}  // namespace qsp::crypto::test
