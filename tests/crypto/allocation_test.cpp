#include <openssl/crypto.h>

#include <array>
#include <cstdlib>

#include "crypto/support.hpp"
#include "qsp/suites.hpp"
#include "support/heap.hpp"

// What the linker's --wrap makes of each call of the C library's allocator in this program and in the archives that it
// is linked with: a library without an allocator of its own that can be replaced is counted here.
extern "C" {
std::size_t of_c = 0;
void* __real_malloc(std::size_t size);                // NOLINT(bugprone-reserved-identifier)
void* __real_calloc(std::size_t count, std::size_t);  // NOLINT(bugprone-reserved-identifier)
void* __real_realloc(void* old, std::size_t size);    // NOLINT(bugprone-reserved-identifier)
void* __wrap_malloc(std::size_t size) {               // NOLINT(bugprone-reserved-identifier)
  ++of_c;
  return __real_malloc(size);
}
void* __wrap_calloc(std::size_t count, std::size_t size) {  // NOLINT(bugprone-reserved-identifier)
  ++of_c;
  return __real_calloc(count, size);
}
void* __wrap_realloc(void* old, std::size_t size) {  // NOLINT(bugprone-reserved-identifier)
  ++of_c;
  return __real_realloc(old, size);
}
}

namespace {

/// Calls of OpenSSL's allocator.
std::size_t of_openssl = 0;

/// OpenSSL takes its allocator before its first allocation only, so this stands ahead of main.
const bool hooked = CRYPTO_set_mem_functions(
                        [](std::size_t size, const char*, int) {
                          ++of_openssl;
                          return std::malloc(size);
                        },
                        [](void* old, std::size_t size, const char*, int) {
                          ++of_openssl;
                          return std::realloc(old, size);
                        },
                        [](void* old, const char*, int) { std::free(old); }) == 1;

}  // namespace

namespace qsp::crypto {
namespace {

using test::Buffer;
using test::must;

class Allocation : public test::EveryProvider<> {
 protected:
  void SetUp() override { ASSERT_TRUE(hooked) << "OpenSSL allocated before the counter was in place"; }

  /// Calls of every allocator that the provider and OpenSSL use.
  static std::size_t allocations() { return qsp::test::heap::made() + of_openssl + of_c; }

  template <class Work>
  static std::size_t count(Work work) {
    const std::size_t before = allocations();
    work();
    return allocations() - before;
  }
};

INSTANTIATE_TEST_SUITE_P(Each, Allocation, testing::ValuesIn(test::every_provider()), test::name_of);

TEST_P(Allocation, the_counter_sees_every_allocator) {
  EXPECT_GT(count([] { Buffer(100).swap(*std::make_unique<Buffer>()); }), 0U);
  EXPECT_GT(count([] { OPENSSL_free(OPENSSL_malloc(100)); }), 0U);
  const std::size_t before = of_openssl + of_c;
  must(tested_->make());
  EXPECT_GT(of_openssl + of_c, before) << "the library allocates by ways that are not counted";
}

TEST_P(Allocation, sealing_opening_and_rekeying_allocate_nothing) {
  // A thread's queue of errors is made at its first one.
  EXPECT_FALSE(must(provider_->aead(AeadId::Aes256Gcm))->set_key(TrafficKey(0)));
  const auto used = must(provider_->aead(AeadId::Aes256Gcm));
  must(used->set_key(TrafficKey(32)));
  EXPECT_FALSE(used->open(Nonce{}, {}, {}, std::array<std::uint8_t, kTagSize>{}));
  for (const AeadInfo& row : kAeads) {
    const auto aead = must(provider_->aead(row.id));
    Buffer data(16'384, 1);
    std::array<std::uint8_t, kTagSize> tag{};
    std::array<std::uint8_t, kTagSize> wrong{};
    EXPECT_EQ(count([&] {
                for (std::uint8_t i = 0; i < 10; ++i) {
                  const Nonce nonce{i};
                  EXPECT_TRUE(aead->set_key(TrafficKey(32)));
                  EXPECT_TRUE(aead->seal(nonce, as_bytes("header"), data, tag));
                  EXPECT_TRUE(aead->open(nonce, as_bytes("header"), data, tag));
                  EXPECT_FALSE(aead->open(nonce, as_bytes("header"), data, wrong));
                }
              }),
              0U)
        << row.name;
  }
}

TEST_P(Allocation, the_key_schedule_and_randomness_allocate_nothing) {
  Hkdf& hkdf = provider_->hkdf();
  const Buffer long_part(1000, 1);
  Buffer out(100);
  must(provider_->rng().fill(out));  // a thread's generator is made at its first draw
  EXPECT_EQ(count([&] {
              EXPECT_TRUE(hkdf.hash({as_bytes("a"), long_part}));
              EXPECT_TRUE(hkdf.hmac(as_bytes("key"), {as_bytes("a"), long_part}));
              EXPECT_TRUE(hkdf.extract(as_bytes("salt"), {as_bytes("a"), long_part}));
              EXPECT_TRUE(hkdf.expand(Bytes(long_part).first(32), {as_bytes("info")}, out));
              EXPECT_TRUE(provider_->rng().fill(out));
            }),
            0U);
}

}  // namespace
}  // namespace qsp::crypto
