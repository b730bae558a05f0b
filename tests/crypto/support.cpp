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

ProviderTest::ProviderTest(const TestedProvider& tested) : tested_(&tested), provider_(must(tested.make())) {}

void ProviderTest::TearDown() { EXPECT_EQ(ERR_peek_error(), 0U) << "OpenSSL's error queue was left filled"; }

std::unique_ptr<Signer> ProviderTest::new_signer(SignatureId id) {
  const SecretBytes pem = must(provider_->generate_private_key(id, std::nullopt));
  return must(provider_->load_signer(pem.reveal_text(), {}));
}

bool ProviderTest::lacking(SignatureId id) {
  if (!tested_->lacks.has(id)) return false;
  const std::string_view words = lacks(id).error().where;
  const auto expect_named = [&](const auto& refused) {
    expect_error(refused, ErrorKind::Provider, Reason::InternalError);
    if (!refused) {
      EXPECT_EQ(refused.error().where, words);
    }
  };
  expect_named(provider_->verifier({id, Buffer(info(id).public_key_size)}));
  expect_named(provider_->generate_private_key(id, std::nullopt));
  return true;
}

std::unique_ptr<Provider> ProviderTest::another_provider() const { return must(tested_->make()); }

}  // namespace qsp::crypto::test
