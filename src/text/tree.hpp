#pragma once

#include <string>
#include <vector>

namespace qsp::text {

/// A line, and what belongs to it.
struct Branch {
  std::string line;
  std::vector<Branch> below = {};
};

/// Every line, and two blanks further in, what belongs to it. Lines end in '\n'.
[[nodiscard]] std::string tree(const std::vector<Branch>& branches);

}  // namespace qsp::text
