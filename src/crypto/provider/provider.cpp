#include "crypto/provider/provider.hpp"

#include "qsp/openssl.hpp"

namespace qsp::crypto {

Result<std::unique_ptr<Provider>, std::string> make_provider() {
  auto made = make_openssl_provider();
  if (!made) return std::unexpected(std::string(made.error().where));
  return *std::move(made);
}

}  // namespace qsp::crypto
