#include "crypto/pkcs8.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace qsp::crypto::test {
namespace {

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kSeed = 0x80;  // [0] IMPLICIT OCTET STRING

Buffer private_key_field(SignatureId id, KeyForm form, Bytes seed, Bytes expanded) {
  if (id == SignatureId::SlhDsaSha2_128s) return copy(expanded);
  if (id == SignatureId::Ed25519) return der(kOctetString, {expanded});
  switch (form) {
    case KeyForm::Seed:
      return der(kSeed, {seed});
    case KeyForm::Expanded:
      return der(kOctetString, {expanded});
    case KeyForm::Both:
      return der(kSequence, {der(kOctetString, {seed}), der(kOctetString, {expanded})});
  }
  throw std::invalid_argument("no such form");
}

}  // namespace

Buffer der(std::uint8_t tag, std::initializer_list<Bytes> content) {
  const Buffer inside = joined(content);
  const std::size_t size = inside.size();
  Buffer head{tag};
  if (size >= 0x100) {
    head.insert(head.end(), {0x82, static_cast<std::uint8_t>(size >> 8U)});
  } else if (size >= 0x80) {
    head.push_back(0x81);
  }
  head.push_back(static_cast<std::uint8_t>(size));
  return joined({head, inside});
}

std::string pem(std::string_view label, Bytes content) {
  constexpr std::size_t kLineBytes = 48;  // 64 characters
  std::string text = "-----BEGIN " + std::string(label) + "-----\n";
  while (!content.empty()) {
    const Bytes line = content.first(std::min(kLineBytes, content.size()));
    std::array<unsigned char, 65> encoded{};
    const int size = EVP_EncodeBlock(encoded.data(), line.data(), static_cast<int>(line.size()));
    text.append(encoded.begin(), encoded.begin() + size).push_back('\n');
    content = content.subspan(line.size());
  }
  return text.append("-----END ").append(label).append("-----\n");
}

Buffer oid(SignatureId id) {
  switch (id) {
    case SignatureId::Ed25519:
      return unhex("06032b6570");
    case SignatureId::MlDsa44:
      return unhex("0609608648016503040311");
    case SignatureId::MlDsa65:
      return unhex("0609608648016503040312");
    case SignatureId::MlDsa87:
      return unhex("0609608648016503040313");
    case SignatureId::SlhDsaSha2_128s:
      return unhex("0609608648016503040314");
    case SignatureId::Ed25519MlDsa65:
      break;
  }
  throw std::invalid_argument("no object identifier");
}

std::string private_key_pem(SignatureId id, KeyForm form, Bytes seed, Bytes expanded) {
  const Buffer version = der(kInteger, {Buffer{0}});
  const Buffer algorithm = der(kSequence, {oid(id)});
  const Buffer field = der(kOctetString, {private_key_field(id, form, seed, expanded)});
  return pem("PRIVATE KEY", der(kSequence, {version, algorithm, field}));
}

}  // namespace qsp::crypto::test
