#include "provider_input.hpp"

#include <algorithm>
#include <array>

#include "base/hex.hpp"
#include "crypto/pem.hpp"

namespace qsp::fuzz {
namespace {

constexpr std::size_t kMostEdits = 16;
constexpr std::size_t kMostBytes = 70'000;

/// What implementations of curves have stumbled over, in the byte order of their standards.
constexpr std::array<std::string_view, 15> kOdd{{
    // Edwards 25519: order 4, 1, both of order 8, 2; p and p + 1, which are not reduced; x = 0 with a sign.
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000080",
    // L, and the u-coordinates of order 8 of Curve25519.
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    // P-256: the point with x = 0, and p; P-384: p.
    "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    // Two coefficients of ML-KEM: q.
    "010dd0",
}};

void put(Buffer& into, std::size_t at, Bytes bytes) {
  if (into.empty()) return;
  at %= into.size();
  std::copy_n(bytes.begin(), std::min(bytes.size(), into.size() - at), into.begin() + static_cast<std::ptrdiff_t>(at));
}

Buffer unhex(std::string_view text) { return from_hex(text).value_or(Buffer()); }

}  // namespace

std::uint8_t Input::byte() noexcept {
  if (rest_.empty()) return 0;
  const std::uint8_t first = rest_.front();
  rest_ = rest_.subspan(1);
  return first;
}

Bytes Input::bytes(std::size_t most) noexcept {
  const Bytes taken = rest_.first(std::min(most, rest_.size()));
  rest_ = rest_.subspan(taken.size());
  return taken;
}

Result<void> Stream::fill(MutableBytes out) {
  drawn_ += out.size();
  for (std::uint8_t& byte : out) {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    byte = static_cast<std::uint8_t>(state_ >> 32U);
  }
  return {};
}

Buffer edited(Buffer base, Input& input) {
  for (std::size_t edits = input.byte() % (kMostEdits + 1); edits > 0; --edits) {
    const std::uint8_t what = input.byte();
    const std::size_t at = input.number();
    switch (what % 6) {
      case 0:
        put(base, at, input.bytes(input.byte()));
        break;
      case 1:
        if (!base.empty()) base[at % base.size()] ^= input.byte();
        break;
      case 2:
        base.resize(base.size() - std::min(base.size(), at % 300));
        break;
      case 3:
        base.resize(std::min(base.size() + at % 300, kMostBytes));
        break;
      case 4:
        put(base, at, unhex(kOdd.at(input.byte() % kOdd.size())));
        break;
      case 5: {
        const Bytes more = input.bytes(input.byte());
        base.insert(base.begin() + static_cast<std::ptrdiff_t>(at % (base.size() + 1)), more.begin(), more.end());
        break;
      }
    }
  }
  return base;
}

Buffer private_key_der(crypto::SignatureId id) {
  using crypto::SignatureId;
  // RFC 8410 §7; RFC 9881 §6, the seed alone.
  std::string_view head = "302e020100300506032b657004220420";
  if (id == SignatureId::MlDsa44) head = "3034020100300b060960864801650304031104228020";
  if (id == SignatureId::MlDsa65) head = "3034020100300b060960864801650304031204228020";
  if (id == SignatureId::MlDsa87) head = "3034020100300b060960864801650304031304228020";
  Buffer der = unhex(head);
  der.resize(der.size() + 32, 0x5a);
  return der;
}

std::string pem(std::string_view label, Bytes der) {
  SecretBytes text;
  crypto::append_pem(text, label, der);
  return std::string(text.reveal_text());
}

}  // namespace qsp::fuzz
