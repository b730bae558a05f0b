#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "e91/cascade/order.hpp"

namespace qsp::e91::cascade {

/// One pass of Bob's plan. Alice needs none of it: his questions say all.
struct PlannedPass {
  Layout layout{};
  std::uint8_t block_level{};     ///< log2 of the blocks' length
  std::uint8_t syndrome_level{};  ///< an odd leaf up to this level is finished by its syndrome
  std::uint32_t open_at{};        ///< opened once at most this many odd nodes are left in the passes before
};

struct Plan {
  std::vector<PlannedPass> passes;
  std::size_t expected_errors;
};

/// The plan for a key of this length and an estimated error rate, which need not be right: a wrong one costs bits and
/// rounds. Precondition: Cascade's for the key's length.
[[nodiscard]] Plan make_plan(std::size_t key_size, double qber);

}  // namespace qsp::e91::cascade
