#include "crypto/openssl/pkey.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

namespace qsp::crypto::openssl {

Result<Pkey> generate_key(const Library& library, const char* type, const OSSL_PARAM* params) {
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(Library::context(), type, library.query()));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 || EVP_PKEY_CTX_set_params(context.get(), params) != 1 ||
      EVP_PKEY_generate(context.get(), &made) != 1) {
    return fail_provider("a key pair cannot be generated");
  }
  return Pkey(made);
}

Pkey import_public_key(const Library& library, const char* type, const char* group, Bytes encoded) {
  // A parameter list takes mutable pointers, although an import only reads them.
  std::array<OSSL_PARAM, 3> params{
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t*>(encoded.data()),
                                        encoded.size()),
      OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
  if (group != nullptr) {
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group), 0);
  }
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(Library::context(), type, library.query()));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.data()) != 1) {
    return nullptr;
  }
  return Pkey(made);
}

bool encoded_public_key(const EVP_PKEY* key, MutableBytes out) {
  std::size_t size = 0;
  return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, out.data(), out.size(), &size) == 1 &&
         size == out.size();
}

}  // namespace qsp::crypto::openssl
