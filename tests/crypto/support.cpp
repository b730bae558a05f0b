#include "crypto/support.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace qsp::crypto::test {

Buffer unhex(std::string_view text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != ' ' && c != '\n'; });
  auto bytes = from_hex(digits);
  if (!bytes) throw std::invalid_argument("not hexadecimal, or an odd number of digits");
  return *std::move(bytes);
}

Buffer copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

std::string test_name(std::string_view name) {
  std::string kept;
  for (const char c : name) {
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) kept.push_back(c);
  }
  return kept;
}

Buffer joined(std::initializer_list<Bytes> parts) {
  Buffer all;
  for (const Bytes part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

ProviderTest::ProviderTest() {
  auto made = make_openssl_provider();
  if (!made) throw std::runtime_error(std::string(made.error().where));
  provider_ = *std::move(made);
}

void ProviderTest::TearDown() { EXPECT_EQ(ERR_peek_error(), 0U) << "OpenSSL's error queue was left filled"; }

std::unique_ptr<Signer> ProviderTest::new_signer(SignatureId id) {
  const SecretBytes pem = must(provider_->generate_private_key(id, std::nullopt));
  return must(provider_->load_signer(pem.reveal_text(), {}));
}

}  // namespace qsp::crypto::test
