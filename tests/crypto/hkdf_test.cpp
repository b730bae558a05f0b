#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <numeric>

#include "crypto/openssl/owned.hpp"
#include "crypto/support.hpp"
#include "crypto/vectors.hpp"
#include "support/own_stack.hpp"

namespace qsp::crypto {
namespace {

using test::Buffer;
using test::expect_error;
using test::must;
using test::unhex;

class HkdfMemory : public test::EveryProvider<> {};
INSTANTIATE_TEST_SUITE_P(Each, HkdfMemory, testing::ValuesIn(test::every_provider()), test::name_of);

/// What was hashed is a secret as often as not: none of it may stay on the stack, whether it was gathered or not.
TEST_P(HkdfMemory, nothing_that_was_hashed_or_derived_stays_on_the_stack) {
  Hkdf& hkdf = provider_->hkdf();
  qsp::test::OwnStack stack;
  // Each is counted up from another byte, so that no two share eight bytes in a row.
  for (const std::size_t size : test::Sizes{32, 80, 200, 400}) {
    std::array<Buffer, 3> secrets;
    for (std::size_t i = 0; i < secrets.size(); ++i) {
      secrets[i].resize(size);
      for (std::size_t b = 0; b < size; ++b) secrets[i][b] = static_cast<std::uint8_t>(b * (2 * i + 3) + 40 * i + 7);
    }
    Buffer out(96);
    auto prk = std::make_unique<ScheduleSecret>(std::size_t{32});
    stack.run([&] {
      must(hkdf.hash({secrets[0], secrets[1]}));
      must(hkdf.hmac(secrets[0], {secrets[1], secrets[2]}));
      *prk = must(hkdf.extract(secrets[2], {secrets[0], secrets[1]}));
      must(hkdf.expand(prk->reveal(), {secrets[0], secrets[2]}, out));
    });
    for (const Buffer& secret : secrets) {
      for (std::size_t at = 0; at + 16 <= secret.size(); at += 16) {
        for (const std::uint8_t mask :
             std::array<std::uint8_t, 3>{0x00, 0x36, 0x5c}) {  // as it is, and as HMAC pads a key
          std::array<std::uint8_t, 16> wanted{};
          for (std::size_t i = 0; i < wanted.size(); ++i) {
            wanted.at(i) = static_cast<std::uint8_t>(secret[at + i] ^ mask);
          }
          EXPECT_FALSE(stack.holds(wanted)) << size << " at " << at << " under " << int{mask};
        }
      }
    }
    EXPECT_FALSE(stack.holds(Bytes(out).subspan(64, 16))) << "the last block of Expand";
  }
  const Buffer left(64, 0x5b);
  stack.run([&] {
    std::array<volatile std::uint8_t, 16'384> copy;  // larger than what the end of a thread overwrites
    for (std::size_t i = 0; i < copy.size(); ++i) copy.at(i) = left[i % left.size()];
  });
  EXPECT_TRUE(!qsp::test::OwnStack::kSees || stack.holds(left)) << "this test sees what it looks for";
}

class HkdfTest : public test::EveryProvider<> {
 protected:
  Hkdf& hkdf() { return provider_->hkdf(); }
  std::string expanded(Bytes prk, Parts info, std::size_t size) {
    Buffer out(size, 0xee);
    must(hkdf().expand(prk, info, out));
    return to_hex(out);
  }
};

INSTANTIATE_TEST_SUITE_P(Each, HkdfTest, testing::ValuesIn(test::every_provider()), test::name_of);

/// `size` bytes that differ from their neighbours.
Buffer counting(std::size_t size, std::uint8_t first = 0) {
  Buffer bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

// RFC 5869 appendix A.
TEST_P(HkdfTest, matches_the_three_sha256_cases_of_rfc5869) {
  struct Case {
    Buffer ikm, salt, info;
    std::string prk, okm;
  };
  const std::array<Case, 3> cases{{
      {Buffer(22, 0x0b), counting(13), counting(10, 0xf0),
       "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {counting(80), counting(80, 0x60), counting(80, 0xb0),
       "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b"
       "836"
       "7793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
      {Buffer(22, 0x0b),
       {},
       {},
       "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
  }};
  for (const Case& c : cases) {
    const ScheduleSecret prk = must(hkdf().extract(c.salt, {c.ikm}));
    EXPECT_EQ(to_hex(prk.reveal()), c.prk);
    EXPECT_EQ(expanded(prk.reveal(), {c.info}, c.okm.size() / 2), c.okm);
  }
}

// RFC 4231 §4.2, §4.3 and §4.7 (a key longer than a block); FIPS 180-4's example.
TEST_P(HkdfTest, matches_the_published_hmac_and_hash_values) {
  EXPECT_EQ(to_hex(must(hkdf().hmac(Buffer(20, 0x0b), {as_bytes("Hi There")}))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(must(hkdf().hmac(as_bytes("Jefe"), {as_bytes("what do ya want "), as_bytes("for nothing?")}))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(must(
                hkdf().hmac(Buffer(131, 0xaa), {as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")}))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(to_hex(must(hkdf().hash({as_bytes("abc")}))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(must(hkdf().hash({}))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// RFC 5869 §2.2: a salt not provided is a string of HashLen zeros.
TEST_P(HkdfTest, an_empty_salt_is_thirty_two_zero_bytes) {
  const Buffer ikm = counting(50);
  EXPECT_EQ(to_hex(must(hkdf().extract({}, {ikm})).reveal()), to_hex(must(hkdf().extract(Buffer(32), {ikm})).reveal()));
  EXPECT_NE(to_hex(must(hkdf().extract({}, {ikm})).reveal()),
            to_hex(must(hkdf().extract(Buffer(32, 1), {ikm})).reveal()));
}

/// Every two-way cut of messages around the sizes at which SHA-256's blocks, and the gathering of parts, begin anew.
TEST_P(HkdfTest, parts_are_hashed_as_if_joined) {
  for (const std::size_t size : test::Sizes{0, 1, 55, 56, 63, 64, 65, 191, 192, 193, 255, 256, 257, 300, 700}) {
    const Buffer message = counting(size);
    const Bytes all(message);
    const std::string digest = to_hex(must(hkdf().hash({all})));
    const std::string mac = to_hex(must(hkdf().hmac(as_bytes("key"), {all})));
    const std::string prk = to_hex(must(hkdf().extract(as_bytes("salt"), {all})).reveal());
    const std::string okm = expanded(Buffer(32, 7), {all}, 70);
    for (std::size_t cut = 0; cut <= size; ++cut) {
      const Bytes head = all.first(cut);
      const Bytes tail = all.subspan(cut);
      ASSERT_EQ(to_hex(must(hkdf().hash({head, {}, tail}))), digest) << size << " cut at " << cut;
      ASSERT_EQ(to_hex(must(hkdf().hmac(as_bytes("key"), {head, tail, {}}))), mac) << size << " cut at " << cut;
      ASSERT_EQ(to_hex(must(hkdf().extract(as_bytes("salt"), {{}, head, tail})).reveal()), prk)
          << size << " cut at " << cut;
      ASSERT_EQ(expanded(Buffer(32, 7), {head, tail}, 70), okm) << size << " cut at " << cut;
    }
  }
}

/// OpenSSL's own HKDF, which shares no code with ours but SHA-256.
std::string reference(int mode, Bytes key, Bytes salt, Bytes info, std::size_t size) {
  const auto octets = [](const char* name, Bytes bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
  };
  std::string digest = "SHA2-256";
  std::array<OSSL_PARAM, 6> params{OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
                                   OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                                   octets(OSSL_KDF_PARAM_KEY, key),
                                   OSSL_PARAM_construct_end(),
                                   OSSL_PARAM_construct_end(),
                                   OSSL_PARAM_construct_end()};
  std::size_t next = 3;
  if (!salt.empty()) params[next++] = octets(OSSL_KDF_PARAM_SALT, salt);
  if (!info.empty()) params[next++] = octets(OSSL_KDF_PARAM_INFO, info);
  const Owned<EVP_KDF, EVP_KDF_free> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(kdf.get()));
  Buffer out(size);
  EXPECT_EQ(EVP_KDF_derive(context.get(), out.data(), out.size(), params.data()), 1);
  return to_hex(out);
}

TEST_P(HkdfTest, agrees_with_openssls_hkdf_for_all_sorts_of_lengths) {
  for (const std::size_t ikm : test::Sizes{1, 31, 32, 64, 100, 500}) {
    for (const std::size_t salt : test::Sizes{0, 1, 32, 63, 64, 65, 200}) {
      const Buffer key = counting(ikm, 3);
      const Buffer salted = counting(salt, 9);
      EXPECT_EQ(to_hex(must(hkdf().extract(salted, {key})).reveal()),
                reference(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, key, salted, {}, 32));
    }
  }
  for (const std::size_t info : test::Sizes{0, 1, 20, 100, 300}) {
    for (const std::size_t size : test::Sizes{1, 12, 31, 32, 33, 64, 65, 1000, std::size_t{255} * 32}) {
      for (const std::size_t prk : test::Sizes{32, 48, 64, 65}) {
        const Buffer key = counting(prk, 5);
        const Buffer context = counting(info, 11);
        EXPECT_EQ(expanded(key, {context}, size), reference(EVP_KDF_HKDF_MODE_EXPAND_ONLY, key, {}, context, size));
      }
    }
  }
}

TEST_P(HkdfTest, expand_refuses_a_short_key_or_too_much_output_and_leaves_zeros) {
  Buffer out(40, 0xee);
  expect_error(hkdf().expand(Buffer(31), {}, out), ErrorKind::ApiMisuse, Reason::InternalError);
  EXPECT_EQ(out, Buffer(40));
  Buffer much(std::size_t{255} * 32 + 1, 0xee);
  expect_error(hkdf().expand(Buffer(32), {}, much), ErrorKind::ApiMisuse, Reason::InternalError);
  EXPECT_EQ(much, Buffer(much.size()));
  EXPECT_TRUE(hkdf().expand(Buffer(32), {}, MutableBytes(much).first(much.size() - 1)));
  EXPECT_TRUE(hkdf().expand(Buffer(32), {}, {}));
}

class HkdfVectors : public test::EveryProvider<test::VectorTest> {};
INSTANTIATE_TEST_SUITE_P(Each, HkdfVectors, testing::ValuesIn(test::every_provider()), test::name_of);

TEST_P(HkdfVectors, hkdf_sha256) {
  std::size_t used = 0;
  for (const auto& block : test::read_vectors("evpkdf_hkdf.txt")) {
    if (block.find("KDF") != "HKDF" || block.control("digest") != "SHA256" || block.find("Result")) continue;
    const std::string mode(block.control("mode").value_or("EXTRACT_AND_EXPAND"));
    Buffer key = block.control_bytes("hexkey");
    const Buffer expected = block.bytes("Output");
    if (mode != "EXPAND_ONLY")
      key = test::copy(must(provider_->hkdf().extract(block.control_bytes("hexsalt"), {key})).reveal());
    Buffer out(expected.size());
    if (mode == "EXTRACT_ONLY") {
      out = key;
    } else {
      must(provider_->hkdf().expand(key, {block.control_bytes("hexinfo")}, out));
    }
    EXPECT_EQ(to_hex(out), to_hex(expected));
    ++used;
  }
  EXPECT_GE(used, 9U);
}

TEST_P(HkdfVectors, hmac_sha256) {
  std::size_t used = 0;
  for (const auto& block : test::read_vectors("evpmac_common.txt")) {
    if (block.find("MAC") != "HMAC" || block.find("Algorithm") != "SHA256" || block.find("Result")) continue;
    EXPECT_EQ(to_hex(must(provider_->hkdf().hmac(block.bytes("Key"), {block.bytes("Input")}))),
              to_hex(block.bytes("Output")));
    ++used;
  }
  EXPECT_GE(used, 3U);
}

}  // namespace
}  // namespace qsp::crypto
