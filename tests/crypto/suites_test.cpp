#include "qsp/suites.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "crypto/support.hpp"

namespace qsp::crypto {
namespace {

using test::must;

class Suites : public test::EveryProvider<> {};
INSTANTIATE_TEST_SUITE_P(Each, Suites, testing::ValuesIn(test::every_provider()), test::name_of);

/// Every row is found by its enumerator, its code and its name, in any case.
template <class Table, class ByCode, class ByName>
void expect_rows_found(const Table& table, ByCode by_code, ByName by_name) {
  std::set<std::uint16_t> codes;
  for (const auto& row : table) {
    EXPECT_EQ(&info(row.id), &row);
    EXPECT_EQ(by_code(std::to_underlying(row.id)), row.id) << row.name;
    EXPECT_EQ(by_name(row.name), row.id) << row.name;
    std::string upper(row.name);
    std::string lower(row.name);
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    EXPECT_EQ(by_name(upper), row.id) << upper;
    EXPECT_EQ(by_name(lower), row.id) << lower;
    EXPECT_FALSE(by_name(std::string(row.name) + "x"));
    EXPECT_FALSE(by_name(row.name.substr(1)));
    EXPECT_TRUE(codes.insert(std::to_underlying(row.id)).second) << row.name << " shares its code";
  }
  std::size_t known = 0;
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    if (by_code(static_cast<std::uint16_t>(code))) ++known;
  }
  EXPECT_EQ(known, table.size()) << "a code outside the table is known, or one inside is not";
  EXPECT_FALSE(by_name(""));
}

TEST(SuiteTable, finds_every_row_by_enumerator_code_and_name) {
  expect_rows_found(kKems, kem_from_wire, kem_by_name);
  expect_rows_found(kSignatures, signature_from_wire, signature_by_name);
  expect_rows_found(kAeads, aead_from_wire, aead_by_name);
}

TEST(SuiteTable, uses_the_code_points_of_the_specification) {
  EXPECT_EQ(kem_from_wire(0x11EC), KemId::X25519MlKem768);
  EXPECT_EQ(kem_from_wire(0x11EB), KemId::SecP256r1MlKem768);
  EXPECT_EQ(kem_from_wire(0x11ED), KemId::SecP384r1MlKem1024);
  EXPECT_EQ(kem_from_wire(0x0200), KemId::MlKem512);
  EXPECT_EQ(kem_from_wire(0x0201), KemId::MlKem768);
  EXPECT_EQ(kem_from_wire(0x0202), KemId::MlKem1024);
  EXPECT_EQ(signature_from_wire(0x0905), SignatureId::MlDsa65);
  EXPECT_EQ(signature_from_wire(0x0904), SignatureId::MlDsa44);
  EXPECT_EQ(signature_from_wire(0x0906), SignatureId::MlDsa87);
  EXPECT_EQ(signature_from_wire(0x0911), SignatureId::SlhDsaSha2_128s);
  EXPECT_EQ(signature_from_wire(0x0807), SignatureId::Ed25519);
  EXPECT_EQ(signature_from_wire(0xFE05), SignatureId::Ed25519MlDsa65);
  EXPECT_EQ(aead_from_wire(2), AeadId::Aes256Gcm);
  EXPECT_EQ(aead_from_wire(29), AeadId::ChaCha20Poly1305);
}

// SPEC §3.
TEST(SuiteTable, prefers_the_defaults_of_the_specification) {
  EXPECT_EQ(kKems.front().id, KemId::X25519MlKem768);
  EXPECT_EQ(kSignatures.front().id, SignatureId::MlDsa65);
  EXPECT_EQ(kAeads.front().id, AeadId::Aes256Gcm);
}

TEST(SuiteTable, calls_only_ed25519_alone_unsafe_against_quantum_computers) {
  for (const SignatureInfo& row : kSignatures) EXPECT_EQ(row.quantum_safe, row.id != SignatureId::Ed25519) << row.name;
}

TEST(SuiteTable, limits_an_epoch_to_the_specified_frames_and_bytes) {
  for (const AeadInfo& row : kAeads) {
    EXPECT_EQ(row.max_frames, (std::uint64_t{1} << 32U) - 1) << row.name;
    EXPECT_EQ(row.max_bytes, std::uint64_t{1} << 38U) << row.name;
    EXPECT_EQ(row.key_size, TrafficKey::kCapacity) << row.name;
  }
}

TEST_P(Suites, kem_sizes_are_those_of_the_provider) {
  for (const KemInfo& row : kKems) {
    const Kem* const kem = must(provider_->kem(row.id));
    EXPECT_EQ(kem->id(), row.id);
    const auto key = must(kem->generate(provider_->rng()));
    EXPECT_EQ(key->public_key().size(), row.public_key_size) << row.name;
    const Encapsulation made = must(kem->encapsulate(key->public_key(), provider_->rng()));
    EXPECT_EQ(made.ciphertext.size(), row.ciphertext_size) << row.name;
    EXPECT_EQ(made.secret.size(), row.secret_size) << row.name;
    EXPECT_EQ(must(key->decapsulate(made.ciphertext)).size(), row.secret_size) << row.name;
    EXPECT_LE(row.secret_size, SharedSecret::kCapacity);
  }
}

TEST_P(Suites, signature_sizes_are_those_of_the_provider) {
  for (const SignatureInfo& row : kSignatures) {
    if (lacking(row.id)) continue;
    const auto signer = new_signer(row.id);
    EXPECT_EQ(signer->public_key().algorithm, row.id);
    EXPECT_EQ(signer->public_key().bytes.size(), row.public_key_size) << row.name;
    EXPECT_EQ(must(signer->sign(as_bytes("size"), provider_->rng())).size(), row.signature_size) << row.name;
  }
}

}  // namespace
}  // namespace qsp::crypto
