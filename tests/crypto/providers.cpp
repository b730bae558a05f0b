#include "crypto/providers.hpp"

#include <ostream>

#include "qsp/openssl.hpp"
#ifdef QSP_AWSLC
#include "crypto/routed/provider.hpp"
#include "qsp/awslc.hpp"
#endif

namespace qsp::crypto::test {
namespace {

#ifdef QSP_AWSLC
/// The program's own choice: each algorithm by the library that does it best.
Result<std::unique_ptr<Provider>> make_routed() {
  auto made = make_provider(Library::Auto);
  if (!made) return fail(ErrorKind::Provider, Reason::InternalError, "no routed provider");
  return *std::move(made);
}
#endif

}  // namespace

std::span<const TestedProvider> tested_providers() {
  static const std::vector<TestedProvider> all{
      {"OpenSSL", [] { return make_openssl_provider(); }, {}, false, false},
#ifdef QSP_AWSLC
      {"AwsLc", [] { return make_awslc_provider(); }, {.signatures = {SignatureId::SlhDsaSha2_128s}}, true, true},
      {"Routed", make_routed, {}, false, false},
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
