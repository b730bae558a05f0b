#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "bench/rounds.hpp"
#include "qsp/crypto.hpp"

namespace qsp::bench {

/// One thing that a cryptographic library is asked for, with the sizes that QSP asks it with.
struct Operation {
  std::string name;  ///< "ML-DSA-65 sign"
  crypto::Algorithm algorithm;
  std::size_t size = 0;  ///< of an AEAD: bytes sealed and opened; 0 for setting its key
  /// Prepares it on a provider that has the algorithm. The provider outlives the contender.
  std::function<Outcome<Contender>(crypto::Provider&)> prepare;
};

/// Bytes of the messages whose sealing is measured.
inline constexpr std::array<std::size_t, 6> kMessageSizes{64, 256, 1350, 4096, 16'384, 65'536};

/// All of them, in the order of the suite table.
std::vector<Operation> operations();

}  // namespace qsp::bench
