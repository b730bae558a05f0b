// SPEC §3.1: "A receiver MUST refuse … an all-zero X25519 result." OpenSSL's own X25519 refuses it as well, so here one
// stands in for it that does not: a provider whose every agreement yields the same bytes.
#include <gtest/gtest.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/support.hpp"
#include "qsp/openssl.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::must;

struct Key {
  std::array<unsigned char, 32> bytes;
};

unsigned char yield = 0;  ///< what every agreement is filled with
int agreements = 0;

template <class Function>
constexpr OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)(void)>(function)};
}

void* key_new(void* /*provider*/) { return new Key{}; }
void key_free(void* key) { delete static_cast<Key*>(key); }
int key_has(const void* /*key*/, int /*selection*/) { return 1; }
int key_import(void* key, int /*selection*/, const OSSL_PARAM params[]) {
  for (const char* name : {OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_PUB_KEY}) {
    const OSSL_PARAM* const found = OSSL_PARAM_locate_const(params, name);
    if (found == nullptr || found->data_size != 32) continue;
    std::memcpy(static_cast<Key*>(key)->bytes.data(), found->data, 32);
    return 1;
  }
  return 0;
}
const OSSL_PARAM* key_import_types(int /*selection*/) {
  static const OSSL_PARAM types[]{OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
                                  OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END};
  return types;
}
int key_get(void* key, OSSL_PARAM params[]) {
  OSSL_PARAM* const wanted = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
  return wanted == nullptr || OSSL_PARAM_set_octet_string(wanted, static_cast<Key*>(key)->bytes.data(), 32) == 1 ? 1
                                                                                                                 : 0;
}
const OSSL_PARAM* key_gettable(void* /*provider*/) {
  static const OSSL_PARAM types[]{OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
                                  OSSL_PARAM_END};
  return types;
}

void* exchange_new(void* /*provider*/) { return new int{}; }
void exchange_free(void* context) { delete static_cast<int*>(context); }
int exchange_init(void* /*context*/, void* /*key*/, const OSSL_PARAM /*params*/[]) { return 1; }
int exchange_set_peer(void* /*context*/, void* /*key*/) { return 1; }
int exchange_derive(void* /*context*/, unsigned char* secret, std::size_t* size, std::size_t room) {
  *size = 32;
  if (secret == nullptr) return 1;
  if (room < 32) return 0;
  std::fill_n(secret, 32, yield);
  ++agreements;
  return 1;
}

const OSSL_ALGORITHM* query(void* /*provider*/, int operation, int* no_cache) {
  static const std::array keys{entry(OSSL_FUNC_KEYMGMT_NEW, key_new),
                               entry(OSSL_FUNC_KEYMGMT_FREE, key_free),
                               entry(OSSL_FUNC_KEYMGMT_HAS, key_has),
                               entry(OSSL_FUNC_KEYMGMT_IMPORT, key_import),
                               entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types),
                               entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get),
                               entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
                               OSSL_DISPATCH{0, nullptr}};
  static const std::array exchange{
      entry(OSSL_FUNC_KEYEXCH_NEWCTX, exchange_new),    entry(OSSL_FUNC_KEYEXCH_FREECTX, exchange_free),
      entry(OSSL_FUNC_KEYEXCH_INIT, exchange_init),     entry(OSSL_FUNC_KEYEXCH_SET_PEER, exchange_set_peer),
      entry(OSSL_FUNC_KEYEXCH_DERIVE, exchange_derive), OSSL_DISPATCH{0, nullptr}};
  static const std::array key_table{OSSL_ALGORITHM{"X25519", "provider=same", keys.data(), "of a test"},
                                    OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
  static const std::array exchange_table{OSSL_ALGORITHM{"X25519", "provider=same", exchange.data(), "of a test"},
                                         OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
  *no_cache = 0;
  if (operation == OSSL_OP_KEYMGMT) return key_table.data();
  if (operation == OSSL_OP_KEYEXCH) return exchange_table.data();
  return nullptr;
}

int start(const OSSL_CORE_HANDLE* /*core*/, const OSSL_DISPATCH* /*in*/, const OSSL_DISPATCH** out, void** context) {
  static const std::array table{entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), OSSL_DISPATCH{0, nullptr}};
  static int nothing = 0;
  *out = table.data();
  *context = &nothing;
  return 1;
}

// SPEC §3.1.
TEST(ZeroAgreement, is_refused_by_both_ends_whatever_the_library_lets_pass) {
  ASSERT_EQ(OSSL_PROVIDER_add_builtin(nullptr, "same", start), 1);
  OSSL_PROVIDER* const same = OSSL_PROVIDER_load(nullptr, "same");
  OSSL_PROVIDER* const standard = OSSL_PROVIDER_load(nullptr, "default");  // asked for by name once another is loaded
  ASSERT_TRUE(same != nullptr && standard != nullptr);
  {
    const auto made = make_openssl_provider({"?provider=same"});
    ASSERT_TRUE(made) << made.error().where;
    const Kem& kem = *must((*made)->kem(KemId::X25519MlKem768));
    const auto key = must(kem.generate((*made)->rng()));
    for (const unsigned char value : {std::uint8_t{1}, std::uint8_t{0}}) {
      yield = value;
      agreements = 0;
      const auto encapsulated = kem.encapsulate(key->public_key(), (*made)->rng());
      EXPECT_EQ(agreements, 1) << "the stand-in was asked";
      EXPECT_EQ(encapsulated.has_value(), value != 0);
      const auto decapsulated = key->decapsulate(std::vector<std::uint8_t>(info(kem.id()).ciphertext_size, 9));
      EXPECT_EQ(agreements, 2);
      EXPECT_EQ(decapsulated.has_value(), value != 0);
      if (value != 0) continue;
      for (const Error& error : {encapsulated.error(), decapsulated.error()}) {
        EXPECT_EQ(error.kind, ErrorKind::InvalidMessage);
        EXPECT_EQ(error.reason, Reason::HandshakeFailed);
      }
    }
  }
  OSSL_PROVIDER_unload(same);
  OSSL_PROVIDER_unload(standard);
}

}  // namespace
}  // namespace qsp::crypto
