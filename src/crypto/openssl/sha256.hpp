#pragma once

#include <utility>

#include "crypto/openssl/library.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::openssl {

/// For HkdfOf. After a failure the context refuses everything, so no later digest can be wrong unnoticed.
class Sha256 {
 public:
  static Fetched<Sha256> make(const Library& library) {
    constexpr const char* kName = "SHA2-256";
    const DigestMethod method(EVP_MD_fetch(Library::context(), kName, library.query()));
    DigestContext context(EVP_MD_CTX_new());
    if (!method || !context || EVP_DigestInit_ex2(context.get(), method.get(), nullptr) != 1) {
      return std::unexpected<std::string_view>(kName);
    }
    return Sha256(std::move(context));
  }

  bool update(Bytes bytes) noexcept { return EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1; }
  bool finish(std::span<std::uint8_t, kHashSize> out) noexcept {
    return EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1 &&
           EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) == 1;
  }
  void spoil() noexcept { EVP_MD_CTX_reset(context_.get()); }
  static std::unexpected<Error> failed() noexcept { return fail_provider("SHA-256 failed"); }

 private:
  explicit Sha256(DigestContext context) noexcept : context_(std::move(context)) {}

  DigestContext context_;
};

}  // namespace qsp::crypto::openssl
