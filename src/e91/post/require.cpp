#include "e91/post/require.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace qsp::e91::post {
namespace {

struct Name {
  std::string_view text;
  double (*of)(const PostConfig& config, const std::vector<AuditedBlock>& blocks);
};

double keys(const std::vector<AuditedBlock>& blocks) noexcept {
  return static_cast<double>(std::ranges::count_if(blocks, &AuditedBlock::has_key));
}

constexpr std::array<Name, 9> kNames{{
    {"eps_sec", [](const PostConfig& config, const auto&) { return config.epsilon_secrecy; }},
    {"eps_cor", [](const PostConfig& config, const auto&) { return config.epsilon_correctness; }},
    {"eps_total", &total_epsilon},
    {"error_tolerance", [](const PostConfig& config, const auto&) { return config.error_tolerance; }},
    {"bell_floor", [](const PostConfig& config, const auto&) { return config.bell_floor; }},
    {"sigmas", [](const PostConfig& config, const auto&) { return config.sigmas; }},
    {"dead_alice", [](const PostConfig& config, const auto&) { return static_cast<double>(config.dead_slots[0]); }},
    {"dead_bob", [](const PostConfig& config, const auto&) { return static_cast<double>(config.dead_slots[1]); }},
    {"keys", [](const PostConfig& /*config*/, const auto& blocks) { return keys(blocks); }},
}};
/// Of each block with a key on its own.
constexpr std::string_view kKeyBits = "n";

std::string number(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.begin(), text.end(), value).ptr};
}

std::optional<Requirement> parse_one(std::string_view text) {
  const std::size_t at = text.find_first_of("<>");
  if (at == std::string_view::npos || at + 2 > text.size() || text[at + 1] != '=') return std::nullopt;
  Requirement one{.name = std::string(text.substr(0, at)), .at_most = text[at] == '<', .value = 0};
  const std::string_view value = text.substr(at + 2);
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), one.value);
  if (error != std::errc{} || end != value.data() + value.size() || !std::isfinite(one.value)) return std::nullopt;
  if (one.name != kKeyBits && std::ranges::find(kNames, one.name, &Name::text) == kNames.end()) return std::nullopt;
  return one;
}

}  // namespace

std::expected<std::vector<Requirement>, std::string> parse_requirements(std::string_view text) {
  std::vector<Requirement> all;
  while (true) {
    const std::size_t comma = text.find(',');
    auto one = parse_one(text.substr(0, comma));
    if (!one) {
      std::string names(kKeyBits);
      for (const Name& name : kNames) names.append(", ").append(name.text);
      return std::unexpected("takes NAME<=NUMBER or NAME>=NUMBER, with commas between; names are " + names);
    }
    all.push_back(std::move(*one));
    if (comma == std::string_view::npos) return all;
    text.remove_prefix(comma + 1);
  }
}

double total_epsilon(const PostConfig& config, const std::vector<AuditedBlock>& blocks) noexcept {
  return keys(blocks) * (config.epsilon_secrecy + config.epsilon_correctness);
}

std::vector<std::string> unmet(const std::vector<Requirement>& requirements, const PostConfig& config,
                               const std::vector<AuditedBlock>& blocks) {
  std::vector<std::string> problems;
  const auto demand = [&](const Requirement& one, double value, const std::string& where) {
    if (one.at_most ? value <= one.value : value >= one.value) return;
    problems.push_back(one.name + where + " is " + number(value) + ", not " + (one.at_most ? "<= " : ">= ") +
                       number(one.value));
  };
  for (const Requirement& one : requirements) {
    if (one.name != kKeyBits) {
      const auto* const name = std::ranges::find(kNames, one.name, &Name::text);
      if (name != kNames.end()) demand(one, name->of(config, blocks), "");
      continue;
    }
    for (const AuditedBlock& block : blocks) {
      if (block.has_key()) demand(one, static_cast<double>(block.key_bits), " of block " + std::to_string(block.block));
    }
  }
  return problems;
}

}  // namespace qsp::e91::post
