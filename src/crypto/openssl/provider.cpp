#include "crypto/openssl/provider.hpp"

namespace qsp::crypto {
std::expected<std::unique_ptr<Provider>, std::string> make_openssl_provider(const OpenSslOptions&) {
  return std::unexpected("not built yet");
}
}  // namespace qsp::crypto
