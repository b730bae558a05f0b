#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "e91/post/audit.hpp"

namespace qsp::e91::post {

/// What an auditor demands of a transcript's parameters, which say nothing of themselves: "eps_sec<=1e-9".
struct Requirement {
  std::string name;
  bool at_most = true;
  double value = 0;
};

/// A list with commas between. Error: what is wrong with it, and which names there are.
std::expected<std::vector<Requirement>, std::string> parse_requirements(std::string_view text);

/// ε_sec + ε_cor of all blocks that brought a key: each block adds its own.
double total_epsilon(const PostConfig& config, const std::vector<AuditedBlock>& blocks) noexcept;

/// "eps_sec is 0.5, not <= 1e-09", for each that is not met. `n` is that of every block with a key.
std::vector<std::string> unmet(const std::vector<Requirement>& requirements, const PostConfig& config,
                               const std::vector<AuditedBlock>& blocks);

}  // namespace qsp::e91::post
