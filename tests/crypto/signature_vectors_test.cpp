#include <map>

#include "crypto/pkcs8.hpp"
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

/// Where a block signs or verifies, the key file's name for its algorithm and key: "ML-DSA-65:ML_DSA_65_1".
std::optional<SignatureId> algorithm(const VectorBlock& block, std::string_view field) {
  const std::string_view value = block.find(field).value_or("");
  return signature_by_name(value.substr(0, value.find(':')));
}
std::string key_name(const VectorBlock& block, std::string_view field) {
  const std::string_view value = block.find(field).value_or("");
  return std::string(value.substr(value.find(':') + 1));
}

/// SPEC §3: pure signatures with an empty context; neither the internal interface nor an external μ.
bool fits_the_interface(const VectorBlock& block) {
  return block.control("message-encoding") == "1" && block.control("hexcontext-string").value_or("").empty() &&
         block.control("mu").value_or("0") == "0" && block.find("Result") != "PKEY_CTRL_ERROR";
}

/// Keeps of SLH-DSA's 20 MB what this room can use.
bool is_small_slh_dsa(const VectorBlock& block) {
  const auto key = block.find("PrivateKeyRaw").value_or(block.find("PublicKeyRaw").value_or(""));
  const auto use = block.find("Sign-Message").value_or(block.find("Verify-Message-Public").value_or(""));
  return key.starts_with("SLH_DSA_SHA2_128s_") || use.starts_with("SLH-DSA-SHA2-128s:");
}

class SignatureVectors : public test::EveryProvider<test::VectorTest> {
 protected:
  struct Counts {
    std::size_t good = 0;
    std::size_t refused = 0;
  };

  std::size_t key_generation(std::string_view file) {
    std::size_t used = 0;
    for (const VectorBlock& block : read_vectors(file)) {
      const auto id = signature_by_name(block.find("KeyGen").value_or(""));
      if (!id) continue;
      const Buffer seed = block.control_bytes("hexseed");
      const Buffer expanded = block.control_bytes("hexpriv");
      for (const auto form : {test::KeyForm::Seed, test::KeyForm::Expanded, test::KeyForm::Both}) {
        const auto signer = must(provider_->load_signer(test::private_key_pem(*id, form, seed, expanded), {}));
        EXPECT_EQ(signer->public_key().algorithm, *id);
        EXPECT_EQ(to_hex(signer->public_key().bytes), to_hex(block.control_bytes("hexpub")));
      }
      ++used;
    }
    return used;
  }

  /// What stands for "deterministic" in the hedge: zeros (FIPS 204 §3.4), or the public seed (FIPS 205 §9.2).
  static Buffer hedge_of(const VectorBlock& block, const PublicKey& key) {
    if (block.control("deterministic") == "0") return block.control_bytes("hextest-entropy");
    if (key.algorithm == SignatureId::SlhDsaSha2_128s) return test::copy(Bytes(key.bytes).first(16));
    return Buffer(32);
  }

  Counts signing(std::string_view file, test::Wanted wanted = nullptr) {
    Counts counts;
    std::map<std::string, std::unique_ptr<Signer>> signers;
    for (const VectorBlock& block : read_vectors(file, wanted)) {
      if (const auto raw = block.find("PrivateKeyRaw")) {
        const test::NamedKey key = test::named_key(*raw);
        const auto id = signature_by_name(key.algorithm);
        if (!id) continue;
        auto signer = provider_->load_signer(test::private_key_pem(*id, test::KeyForm::Expanded, {}, key.bytes), {});
        if (signer) signers[std::string(key.name)] = *std::move(signer);
      }
      if (!algorithm(block, "Sign-Message") || !fits_the_interface(block)) continue;
      const auto signer = signers.find(key_name(block, "Sign-Message"));
      if (signer == signers.end()) {
        ++counts.refused;
        continue;
      }
      ScriptedRng hedge(hedge_of(block, signer->second->public_key()));
      EXPECT_EQ(to_hex(must(signer->second->sign(block.bytes("Input"), hedge))), to_hex(block.bytes("Output")));
      ++counts.good;
    }
    return counts;
  }

  Counts verification(std::string_view file, test::Wanted wanted = nullptr) {
    Counts counts;
    std::map<std::string, PublicKey> keys;
    for (const VectorBlock& block : read_vectors(file, wanted)) {
      if (const auto raw = block.find("PublicKeyRaw")) {
        const test::NamedKey key = test::named_key(*raw);
        if (const auto id = signature_by_name(key.algorithm)) keys[std::string(key.name)] = {*id, key.bytes};
      }
      if (!algorithm(block, "Verify-Message-Public") || !fits_the_interface(block)) continue;
      const auto verifier = must(provider_->verifier(keys.at(key_name(block, "Verify-Message-Public"))));
      const auto verified = verifier->verify(block.bytes("Input"), block.bytes("Output"));
      if (block.find("Result")) {
        expect_error(verified, ErrorKind::PeerMisbehaved, Reason::HandshakeFailed);
        ++counts.refused;
      } else {
        EXPECT_TRUE(verified) << "a good signature was refused";
        ++counts.good;
      }
    }
    return counts;
  }
};

INSTANTIATE_TEST_SUITE_P(Each, SignatureVectors, testing::ValuesIn(test::every_provider()), test::name_of);

TEST_P(SignatureVectors, acvp_ml_dsa_key_generation_in_all_three_forms_of_a_file) {
  EXPECT_EQ(key_generation("evppkey_ml_dsa_keygen.txt"), 75U);
}
TEST_P(SignatureVectors, acvp_slh_dsa_key_generation) {
  if (lacking(SignatureId::SlhDsaSha2_128s)) return;
  EXPECT_GE(key_generation("evppkey_slh_dsa_keygen.txt"), 10U);
}

TEST_P(SignatureVectors, acvp_ml_dsa_signing) { EXPECT_EQ(signing("evppkey_ml_dsa_siggen.txt").good, 6U); }
TEST_P(SignatureVectors, acvp_ml_dsa_verification) {
  const Counts counts = verification("evppkey_ml_dsa_sigver.txt");
  EXPECT_EQ(counts.good, 2U);
  EXPECT_EQ(counts.refused, 1U);
}
TEST_P(SignatureVectors, acvp_slh_dsa_signing) {
  if (lacking(SignatureId::SlhDsaSha2_128s)) return;
  EXPECT_EQ(signing("evppkey_slh_dsa_siggen.txt", is_small_slh_dsa).good, 2U) << "one deterministic, one hedged";
}
TEST_P(SignatureVectors, acvp_slh_dsa_verification) {
  if (lacking(SignatureId::SlhDsaSha2_128s)) return;
  EXPECT_EQ(verification("evppkey_slh_dsa_sigver.txt", is_small_slh_dsa).refused, 1U);
}

TEST_P(SignatureVectors, wycheproof_ml_dsa_signing) {
  for (const std::string set : {"44", "65", "87"}) {
    const Counts counts = signing("evppkey_ml_dsa_" + set + "_wycheproof_sign.txt");
    EXPECT_GE(counts.good, 50U) << set;
    EXPECT_EQ(counts.refused, 0U) << set;
  }
}

TEST_P(SignatureVectors, wycheproof_ml_dsa_verification) {
  for (const std::string set : {"44", "65", "87"}) {
    const Counts counts = verification("evppkey_ml_dsa_" + set + "_wycheproof_verify.txt");
    EXPECT_GE(counts.good, 50U) << set;
    EXPECT_GE(counts.refused, 10U) << set;
  }
}

/// Keys of wrong lengths, or whose parts contradict each other.
TEST_P(SignatureVectors, wycheproof_ml_dsa_keys_that_must_be_refused) {
  std::size_t used = 0;
  for (const std::string set : {"44", "65", "87"}) {
    for (const std::string_view kind : {"sign", "verify"}) {
      for (const VectorBlock& block :
           read_vectors("evppkey_ml_dsa_" + set + "_wycheproof_" + std::string(kind) + ".txt")) {
        const auto id = signature_by_name(block.find("KeyFromData").value_or(""));
        if (!id) continue;
        if (kind == "sign") {
          const Buffer raw = block.control_bytes("hexpriv");
          expect_error(provider_->load_signer(test::private_key_pem(*id, test::KeyForm::Expanded, {}, raw), {}),
                       ErrorKind::ApiMisuse, Reason::InternalError);
        } else {
          expect_error(provider_->verifier({*id, block.control_bytes("hexpub")}), ErrorKind::ApiMisuse,
                       Reason::InternalError);
        }
        ++used;
      }
    }
  }
  EXPECT_EQ(used, 18U);
}

}  // namespace
}  // namespace qsp::crypto
