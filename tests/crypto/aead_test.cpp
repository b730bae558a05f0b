#include <array>
#include <numeric>

#include "crypto/support.hpp"
#include "crypto/vectors.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::Buffer;
using test::expect_error;
using test::must;
using test::unhex;

using Tag = std::array<std::uint8_t, kTagSize>;

Nonce nonce_of(Bytes bytes) {
  Nonce nonce{};
  std::ranges::copy(bytes.first(kNonceSize), nonce.begin());
  return nonce;
}

Buffer counting(std::size_t size) {
  Buffer bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

/// One published sealing: what goes in and what must come out.
struct Case {
  AeadId id;
  Buffer key, nonce, aad, plain, sealed, tag;
};

void expect_seals_and_opens(Provider& provider, const Case& c) {
  const auto aead = must(provider.aead(c.id));
  must(aead->set_key(TrafficKey::copy_of(c.key)));
  Buffer data = c.plain;
  Tag tag{};
  must(aead->seal(nonce_of(c.nonce), c.aad, data, tag));
  EXPECT_EQ(to_hex(data), to_hex(c.sealed));
  EXPECT_EQ(to_hex(tag), to_hex(c.tag));
  must(aead->open(nonce_of(c.nonce), c.aad, data, tag));
  EXPECT_EQ(to_hex(data), to_hex(c.plain));
}

class AeadTest : public test::EveryRow<AeadId> {
 protected:
  std::unique_ptr<Aead> keyed(std::uint8_t byte = 0x42) {
    auto aead = must(provider_->aead(row()));
    must(aead->set_key(TrafficKey::copy_of(Buffer(32, byte))));
    return aead;
  }
  static constexpr Nonce kNonce{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7};
};

constexpr std::array kIds{AeadId::Aes256Gcm, AeadId::ChaCha20Poly1305};
INSTANTIATE_TEST_SUITE_P(Each, AeadTest, testing::ValuesIn(test::on_every_provider(kIds)), test::name_of);

class AeadPublished : public test::EveryProvider<> {};
INSTANTIATE_TEST_SUITE_P(Each, AeadPublished, testing::ValuesIn(test::every_provider()), test::name_of);

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16, which NIST republishes.
TEST_P(AeadPublished, aes256_gcm_matches_its_authors_test_cases) {
  expect_seals_and_opens(
      *provider_, {AeadId::Aes256Gcm, Buffer(32), Buffer(12), {}, {}, {}, unhex("530f8afbc74536b9a963b4f1c4cb738b")});
  expect_seals_and_opens(*provider_, {AeadId::Aes256Gcm,
                                      Buffer(32),
                                      Buffer(12),
                                      {},
                                      Buffer(16),
                                      unhex("cea7403d4d606b6e074ec5d3baf39d18"),
                                      unhex("d0d1c8a799996bf0265b98b5d48ab919")});
  expect_seals_and_opens(*provider_,
                         {AeadId::Aes256Gcm, unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
                          unhex("cafebabefacedbaddecaf888"), unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
                          unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680953"
                                "2fcf0e2449a6b525b16aedf5aa0de657ba637b39"),
                          unhex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d"
                                "a7b08b1056828838c5f61e6393ba7a0abcc9f662"),
                          unhex("76fc6ece0f4e1768cddf8853bb2d551b")});
}

// RFC 8439 §2.8.2.
TEST_P(AeadPublished, chacha20_poly1305_matches_rfc8439) {
  const std::string_view plain =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
      "it.";
  expect_seals_and_opens(
      *provider_,
      {AeadId::ChaCha20Poly1305, unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
       unhex("070000004041424344454647"), unhex("50515253c0c1c2c3c4c5c6c7"), test::copy(as_bytes(plain)),
       unhex("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da9272"
             "8b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831"
             "d7bc3ff4def08e4b7a9de576d26586cec64b6116"),
       unhex("1ae10b594f09e26a7e902ecbd0600691")});
}

TEST_P(AeadTest, opens_what_it_sealed_for_every_size_around_the_blocks) {
  const auto aead = keyed();
  for (const std::size_t size : test::Sizes{0, 1, 15, 16, 17, 63, 64, 65, 127, 1000, 16'384, 65'536}) {
    for (const std::size_t aad_size : test::Sizes{0, 1, 16, 25, 300}) {
      const Buffer plain = counting(size);
      const Buffer aad = counting(aad_size);
      Buffer data = plain;
      Tag tag{};
      must(aead->seal(kNonce, aad, data, tag));
      if (size >= 15) {
        EXPECT_NE(data, plain);
      }
      must(aead->open(kNonce, aad, data, tag));
      ASSERT_EQ(data, plain) << size << " bytes, " << aad_size << " of aad";
    }
  }
}

TEST_P(AeadTest, refuses_and_wipes_what_was_altered_anywhere) {
  const auto aead = keyed();
  const Buffer aad = counting(25);
  Buffer sealed = counting(40);
  Tag tag{};
  must(aead->seal(kNonce, aad, sealed, tag));

  const auto expect_refused = [&](const Nonce& nonce, Bytes other_aad, Buffer data, const Tag& other_tag) {
    expect_error(aead->open(nonce, other_aad, data, other_tag), ErrorKind::DecryptFailed, Reason::AeadDecryptFailed);
    EXPECT_EQ(data, Buffer(data.size())) << "bytes of a refused frame are left";
  };
  for (int bit = 0; bit < 8; ++bit) {
    const auto flip = [bit](auto bytes, std::size_t at) {
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << static_cast<unsigned>(bit)));
      return bytes;
    };
    for (std::size_t i = 0; i < sealed.size(); ++i) expect_refused(kNonce, aad, flip(sealed, i), tag);
    for (std::size_t i = 0; i < aad.size(); ++i) expect_refused(kNonce, flip(aad, i), sealed, tag);
    for (std::size_t i = 0; i < tag.size(); ++i) expect_refused(kNonce, aad, sealed, flip(tag, i));
    for (std::size_t i = 0; i < kNonce.size(); ++i) expect_refused(flip(kNonce, i), aad, sealed, tag);
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    expect_refused(kNonce, aad, test::copy(Bytes(sealed).first(size)), tag);
  }
  for (std::size_t size = 0; size < aad.size(); ++size) expect_refused(kNonce, Bytes(aad).first(size), sealed, tag);

  must(aead->open(kNonce, aad, sealed, tag));
  EXPECT_EQ(sealed, counting(40)) << "a refusal must not spoil the key for the next frame";
}

TEST_P(AeadTest, a_frame_without_data_still_authenticates_its_header) {
  const auto aead = keyed();
  Tag tag{};
  must(aead->seal(kNonce, as_bytes("header"), {}, tag));
  must(aead->open(kNonce, as_bytes("header"), {}, tag));
  expect_error(aead->open(kNonce, as_bytes("headex"), {}, tag), ErrorKind::DecryptFailed, Reason::AeadDecryptFailed);
  expect_error(aead->open(kNonce, {}, {}, tag), ErrorKind::DecryptFailed, Reason::AeadDecryptFailed);
}

/// One object in both directions, in any order, gives what two fresh ones give.
TEST_P(AeadTest, sealing_and_opening_may_alternate) {
  const auto both = keyed();
  for (std::uint8_t i = 0; i < 20; ++i) {
    Nonce nonce = kNonce;
    nonce[0] = i;
    Buffer expected = counting(50);
    Tag expected_tag{};
    must(keyed()->seal(nonce, {}, expected, expected_tag));
    if (i % 3 == 0) {
      Buffer junk = counting(9);
      expect_error(both->open(nonce, {}, junk, Tag{}), ErrorKind::DecryptFailed, Reason::AeadDecryptFailed);
    }
    Buffer data = counting(50);
    Tag tag{};
    must(both->seal(nonce, {}, data, tag));
    EXPECT_EQ(data, expected);
    EXPECT_EQ(tag, expected_tag);
    must(both->open(nonce, {}, data, tag));
    EXPECT_EQ(data, counting(50));
  }
}

TEST_P(AeadTest, a_new_key_replaces_the_old_one_and_nothing_else) {
  const auto aead = keyed(1);
  Buffer old_frame = counting(30);
  Tag old_tag{};
  must(aead->seal(kNonce, {}, old_frame, old_tag));
  must(aead->set_key(TrafficKey::copy_of(Buffer(32, 2))));
  Buffer copy_of_old = old_frame;
  expect_error(aead->open(kNonce, {}, copy_of_old, old_tag), ErrorKind::DecryptFailed, Reason::AeadDecryptFailed);

  Buffer data = counting(30);
  Buffer expected = data;
  Tag tag{};
  Tag expected_tag{};
  must(aead->seal(kNonce, {}, data, tag));
  must(keyed(2)->seal(kNonce, {}, expected, expected_tag));
  EXPECT_EQ(data, expected);
  EXPECT_EQ(tag, expected_tag);
}

TEST_P(AeadTest, without_a_key_it_refuses_and_wipes) {
  const auto expect_refuses = [](Aead& aead) {
    Buffer data = counting(20);
    Tag tag{};
    expect_error(aead.seal(kNonce, {}, data, tag), ErrorKind::ApiMisuse, Reason::InternalError);
    EXPECT_EQ(data, Buffer(20));
    data = counting(20);
    expect_error(aead.open(kNonce, {}, data, tag), ErrorKind::ApiMisuse, Reason::InternalError);
    EXPECT_EQ(data, Buffer(20));
  };
  const auto fresh = must(provider_->aead(row()));
  expect_refuses(*fresh);

  const auto aead = keyed();
  for (const std::size_t size : test::Sizes{0, 16, 31}) {
    expect_error(aead->set_key(TrafficKey(size)), ErrorKind::Provider, Reason::InternalError);
    expect_refuses(*aead);
  }
  TrafficKey moved_from = TrafficKey::copy_of(Buffer(32, 1));
  const TrafficKey taken = std::move(moved_from);
  // NOLINTNEXTLINE(bugprone-use-after-move): a key that was already given away is the case.
  const Result<void> refused = aead->set_key(std::move(moved_from));
  expect_error(refused, ErrorKind::Provider, Reason::InternalError);
  expect_refuses(*aead);

  must(aead->set_key(TrafficKey::copy_of(Buffer(32, 0x42))));
  Buffer data = counting(20);
  Buffer expected = data;
  Tag tag{};
  must(aead->seal(kNonce, {}, data, tag));
  must(keyed()->seal(kNonce, {}, expected, tag));
  EXPECT_EQ(data, expected) << "a good key must serve again after a refused one";
}

class AeadVectors : public test::EveryProvider<test::VectorTest> {
 protected:
  /// Runs the blocks of one cipher that fit the interface: 96-bit nonces, whole tags.
  void run(std::string_view file, std::string_view cipher, AeadId id, std::size_t at_least, std::size_t negative) {
    std::size_t used = 0;
    std::size_t refused = 0;
    for (const auto& block : test::read_vectors(file)) {
      if (block.find("Cipher") != cipher || block.bytes("IV").size() != kNonceSize) continue;
      if (block.bytes("Tag").size() != kTagSize) continue;
      const Case c{id,
                   block.bytes("Key"),
                   block.bytes("IV"),
                   block.bytes("AAD"),
                   block.bytes("Plaintext"),
                   block.bytes("Ciphertext"),
                   block.bytes("Tag")};
      if (!block.find("Result")) {
        expect_seals_and_opens(*provider_, c);
        ++used;
      } else if (block.find("Result") == "CIPHERFINAL_ERROR") {
        const auto aead = must(provider_->aead(id));
        must(aead->set_key(TrafficKey::copy_of(c.key)));
        Buffer data = c.sealed;
        expect_error(aead->open(nonce_of(c.nonce), c.aad, data, std::span<const std::uint8_t, kTagSize>(c.tag)),
                     ErrorKind::DecryptFailed, Reason::AeadDecryptFailed);
        ++refused;
      }
    }
    EXPECT_GE(used, at_least);
    EXPECT_GE(refused, negative);
  }
};

INSTANTIATE_TEST_SUITE_P(Each, AeadVectors, testing::ValuesIn(test::every_provider()), test::name_of);

TEST_P(AeadVectors, aes256_gcm) { run("evpciph_aes_common.txt", "aes-256-gcm", AeadId::Aes256Gcm, 5, 0); }
TEST_P(AeadVectors, chacha20_poly1305) {
  run("evpciph_chacha.txt", "chacha20-poly1305", AeadId::ChaCha20Poly1305, 4, 1);
}

}  // namespace
}  // namespace qsp::crypto
