#include "crypto/support.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <stdexcept>

namespace qsp::crypto::test {

Buffer unhex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Buffer bytes;
  bytes.reserve(text.size() / 2);
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const std::size_t value = kDigits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c));
    if (value == std::string_view::npos) throw std::invalid_argument("not hexadecimal");
    if (digits++ % 2 == 0) bytes.push_back(0);
    bytes.back() = static_cast<std::uint8_t>(bytes.back() * 16U + value);
  }
  if (digits % 2 != 0) throw std::invalid_argument("an odd number of hexadecimal digits");
  return bytes;
}

std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) text.append({kDigits[byte >> 4U], kDigits[byte & 15U]});
  return text;
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

Result<void> ScriptedRng::fill(MutableBytes out) {
  if (out.size() > left()) return fail(ErrorKind::Provider, Reason::InternalError, "the script is spent");
  std::copy_n(script_.begin() + static_cast<std::ptrdiff_t>(used_), out.size(), out.begin());
  used_ += out.size();
  return {};
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
