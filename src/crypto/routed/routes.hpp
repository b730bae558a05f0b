#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "crypto/routed/library.hpp"
#include "qsp/crypto.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {

/// Which library serves an algorithm, where the program has several that can.
struct Route {
  /// Of an AEAD: data of more bytes than `size` goes to another library.
  struct Above {
    std::size_t size;
    Library library;
  };
  Algorithm algorithm;
  Library library;
  std::optional<Above> above = {};
};

/// The faster library for each, as `qsp bench primitives` measures them; it also says where this table is wrong on the
/// machine it runs on. Where the two are equal, OpenSSL stays. Microseconds on a Xeon with AVX-512, OpenSSL 3.5.7
/// against AWS-LC 5.1.0:
///   ML-KEM-768       keygen 31.7 / 11.4, encapsulate 34 / 12.6, decapsulate 28 / 15.1
///   X25519           keygen 28 / 7.1, agree 32 / 21;  P-384: keygen 595 / 43, agree 589 / 127
///   ML-DSA-65        sign 720 / 160, verify 143 / 50;  Ed25519: sign 27 / 7.7, verify 87 / 33
///   AES-256-GCM      64 bytes 0.100 / 0.067, 256 bytes 0.107 / 0.086; equal from 4 KiB
///   ChaCha20-Poly1305  64 bytes 0.58 / 0.18, 1,350 bytes 1.08 / 0.76, 16 KiB 4.8 / 7.1, 64 KiB 17.4 / 27.5
/// AWS-LC has no SLH-DSA.
inline constexpr std::array kRoutes{
    Route{KemId::X25519MlKem768, Library::AwsLc},
    Route{KemId::SecP256r1MlKem768, Library::AwsLc},
    Route{KemId::SecP384r1MlKem1024, Library::AwsLc},
    Route{KemId::MlKem768, Library::AwsLc},
    Route{KemId::MlKem1024, Library::AwsLc},
    Route{KemId::MlKem512, Library::AwsLc},
    Route{SignatureId::MlDsa65, Library::AwsLc},
    Route{SignatureId::Ed25519MlDsa65, Library::AwsLc},
    Route{SignatureId::MlDsa87, Library::AwsLc},
    Route{SignatureId::MlDsa44, Library::AwsLc},
    Route{SignatureId::SlhDsaSha2_128s, Library::OpenSsl},
    Route{SignatureId::Ed25519, Library::AwsLc},
    Route{AeadId::Aes256Gcm, Library::AwsLc},
    Route{AeadId::ChaCha20Poly1305, Library::AwsLc, Route::Above{2048, Library::OpenSsl}},
    Route{Primitive::Hkdf, Library::OpenSsl},
    Route{Primitive::Random, Library::OpenSsl},
    Route{Primitive::Keystream, Library::OpenSsl},
};

/// The library that the table prefers for an algorithm and, of an AEAD, for data of that many bytes.
[[nodiscard]] Library preferred(const Algorithm& algorithm, std::size_t size) noexcept;

/// Whether a provider has an algorithm.
[[nodiscard]] bool can(const Provider& provider, const Algorithm& algorithm) noexcept;

/// The name of an algorithm, as the suite table has it.
[[nodiscard]] std::string_view name(const Algorithm& algorithm) noexcept;

inline constexpr std::array kPrimitives{Primitive::Hkdf, Primitive::Random, Primitive::Keystream};

/// Every algorithm that a provider can be asked for: suite table, then primitives.
inline constexpr auto kAlgorithms = []<std::size_t... kAt>(std::index_sequence<kAt...>) {
  const auto algorithm = [](std::size_t at) -> Algorithm {
    if (at < kKems.size()) return kKems[at].id;
    at -= kKems.size();
    if (at < kSignatures.size()) return kSignatures[at].id;
    at -= kSignatures.size();
    if (at < kAeads.size()) return kAeads[at].id;
    return kPrimitives[at - kAeads.size()];
  };
  return std::array{algorithm(kAt)...};
}(std::make_index_sequence<kKems.size() + kSignatures.size() + kAeads.size() + kPrimitives.size()>());

/// What is wrong with a table of routes; empty: nothing. A sound one has each algorithm once, names libraries alone,
/// and divides by size what is an AEAD, between two libraries.
constexpr std::string_view problem_of(std::span<const Route> routes) noexcept {
  for (const Algorithm& algorithm : kAlgorithms) {
    std::size_t count = 0;
    for (const Route& route : routes) count += route.algorithm == algorithm ? 1 : 0;
    if (count == 0) return "an algorithm without a route";
    if (count > 1) return "an algorithm with two routes";
  }
  for (const Route& route : routes) {
    if (route.library == Library::Auto) return "a route to no library";
    if (!route.above) continue;
    if (!std::holds_alternative<AeadId>(route.algorithm)) return "a route by size of what is no AEAD";
    if (route.above->library == Library::Auto) return "a route to no library";
    if (route.above->library == route.library) return "a route by size to one library";
  }
  return {};
}

static_assert(problem_of(kRoutes).empty());

}  // namespace qsp::crypto
