#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "e91/cascade/order.hpp"

namespace qsp::e91 {

/// One pass of Bob's plan. Alice needs none of it: his questions say all.
struct PlannedPass {
  Layout layout{};
  std::uint8_t block_level{};     ///< log2 of the blocks' length
  std::uint8_t syndrome_level{};  ///< an odd node this small is located in one question, by its syndrome; 0: never
  std::uint32_t open_at{};        ///< opened once at most this many odd nodes are left in the passes before
};

/// The passes for a key of this length and an estimated error rate.
[[nodiscard]] std::vector<PlannedPass> plan_passes(std::size_t key_size, double qber);

}  // namespace qsp::e91
