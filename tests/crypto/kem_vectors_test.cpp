#include <map>

#include "crypto/support.hpp"
#include "crypto/vectors.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

using test::Buffer;
using test::expect_error;
using test::must;
using test::read_vectors;
using test::ScriptedRng;
using test::VectorBlock;

/// ML-KEM against NIST's ACVP results and BoringSSL's sets, which hold pq-crystals' and Wycheproof's.
class MlKemVectors : public test::EveryProvider<test::VectorTest> {
 protected:
  std::size_t keygen(std::string_view file) {
    std::size_t used = 0;
    for (const VectorBlock& block : read_vectors(file)) {
      const auto id = kem_by_name(block.find("KeyGen").value_or(""));
      if (!id) continue;
      ScriptedRng seed(block.control_bytes("hexseed"));
      const auto key = must(must(provider_->kem(*id))->generate(seed));
      EXPECT_EQ(to_hex(key->public_key()), to_hex(block.control_bytes("hexpub")));
      ++used;
    }
    return used;
  }

  struct Counts {
    std::size_t good = 0;
    std::size_t refused = 0;
  };

  Counts encapsulation(std::string_view file) {
    Counts counts;
    for (const VectorBlock& block : read_vectors(file)) {
      const auto id = kem_by_name(block.find("Kem").value_or(""));
      if (!id || !block.find("EncodedPublicKey")) continue;
      ScriptedRng message(block.bytes("Entropy"));
      const auto made = must(provider_->kem(*id))->encapsulate(block.bytes("EncodedPublicKey"), message);
      if (block.find("Result")) {
        expect_error(made, ErrorKind::InvalidMessage, Reason::HandshakeFailed);
        ++counts.refused;
        continue;
      }
      EXPECT_TRUE(made) << "a good public key was refused";
      if (!made) continue;
      EXPECT_EQ(to_hex(made->ciphertext), to_hex(block.bytes("Ciphertext")));
      EXPECT_EQ(to_hex(made->secret.reveal()), to_hex(block.bytes("Output")));
      ++counts.good;
    }
    return counts;
  }

  /// The interface makes keys from seeds alone, so a case is used where the keygen file tells its private key's seed.
  std::size_t decapsulation(std::string_view file, std::string_view keygen_file) {
    std::map<std::string, Buffer> seeds;
    for (const VectorBlock& block : read_vectors(keygen_file)) {
      if (block.find("KeyGen")) seeds.emplace(to_hex(block.control_bytes("hexpriv")), block.control_bytes("hexseed"));
    }
    std::size_t used = 0;
    for (const VectorBlock& block : read_vectors(file)) {
      const auto id = kem_by_name(block.find("Kem").value_or(""));
      const auto seed = seeds.find(to_hex(block.bytes("EncodedPrivateKey")));
      if (!id || seed == seeds.end()) continue;
      ScriptedRng rng(seed->second);
      const auto key = must(must(provider_->kem(*id))->generate(rng));
      EXPECT_EQ(to_hex(must(key->decapsulate(block.bytes("Input"))).reveal()), to_hex(block.bytes("Output")));
      ++used;
    }
    return used;
  }
};

INSTANTIATE_TEST_SUITE_P(Each, MlKemVectors, testing::ValuesIn(test::every_provider()), test::name_of);

TEST_P(MlKemVectors, acvp_key_generation) { EXPECT_EQ(keygen("evppkey_ml_kem_keygen.txt"), 75U); }

TEST_P(MlKemVectors, acvp_encapsulation) {
  const Counts counts = encapsulation("evppkey_ml_kem_encap_decap.txt");
  EXPECT_EQ(counts.good, 75U);
}

TEST_P(MlKemVectors, key_generation) {
  for (const std::string set : {"512", "768", "1024"}) {
    EXPECT_EQ(keygen("evppkey_ml_kem_" + set + "_keygen.txt"), 100U) << set;
  }
}

TEST_P(MlKemVectors, encapsulation_refuses_keys_that_are_not_reduced) {
  for (const std::string set : {"512", "768", "1024"}) {
    const Counts counts = encapsulation("evppkey_ml_kem_" + set + "_encap.txt");
    EXPECT_GE(counts.good, 100U) << set;
    EXPECT_GE(counts.refused, set == "512" ? 0U : 120U) << set;
  }
}

TEST_P(MlKemVectors, decapsulation) {
  for (const std::string set : {"512", "768", "1024"}) {
    EXPECT_GE(decapsulation("evppkey_ml_kem_" + set + "_decap.txt", "evppkey_ml_kem_" + set + "_keygen.txt"), 100U)
        << set;
  }
}

}  // namespace
}  // namespace qsp::crypto
