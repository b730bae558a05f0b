#include "e91/hashing/verification.hpp"

namespace qsp::e91::hashing {

std::uint64_t verification_hash(const Bits& key, std::uint64_t point, const Carryless& arithmetic) noexcept {
  return arithmetic.evaluate64(0, point, key.words()) ^ key.size();
}

}  // namespace qsp::e91::hashing
