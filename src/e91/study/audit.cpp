#include "e91/study/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/try.hpp"
#include "e91/keyrate/statistics.hpp"
#include "e91/study/rows.hpp"
#include "text/escape.hpp"
#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::e91::study {
namespace {

/// Some ten thousand blocks of their usual size.
constexpr std::size_t kMostTranscript = std::size_t{1} << 30;

std::string verdict_of(const post::AuditedBlock& block) {
  if (!block.problem.empty()) return "MISMATCH: " + text::terminal_escape(block.problem);
  if (block.aborted) return fmt::format("OK, given up: {}", post::describe(*block.aborted));
  return block.complete ? "OK" : "OK so far, the block has no end";
}

double qber_of(const post::AuditedBlock& block) {
  return static_cast<double>(block.errors) / static_cast<double>(std::max<std::uint64_t>(1, block.key_bits));
}

/// Of the conjugate basis, or in Classic what |S| says of it; nothing where nothing was disclosed.
std::optional<keyrate::Estimate> phase_error_of(Mode mode, const post::AuditedBlock& block) {
  if (mode == Mode::Biased) return keyrate::error_rate(block.tests.phase);
  if (!block.tests.chsh) return std::nullopt;
  return keyrate::Estimate{.value = keyrate::phase_error(block.tests.chsh->value, qber_of(block))};
}

boost::json::object json_of(Mode mode, const post::AuditedBlock& block) {
  boost::json::object object{{"block", block.block},
                             {"sifted_bits", block.key_bits},
                             {"errors", block.errors},
                             {"s", nullptr},
                             {"phase_error", nullptr},
                             {"disclosed_bits", block.disclosed},
                             {"announced_bits", block.announced},
                             {"certified_bits", block.certified},
                             {"ok", block.problem.empty()},
                             {"has_key", block.has_key()},
                             {"verdict", verdict_of(block)}};
  if (block.tests.chsh) object["s"] = block.tests.chsh->value;
  if (const auto error = phase_error_of(mode, block)) object["phase_error"] = error->value;
  return object;
}

text::Rows rows_of(Mode mode, const std::vector<post::AuditedBlock>& blocks) {
  text::Rows rows{{"block", "sifted n", "errors", "S", "e_phase", "leak", "ℓ announced", "ℓ recomputed", "verdict"}};
  for (const post::AuditedBlock& block : blocks) {
    const auto phase = phase_error_of(mode, block);
    rows.push_back({std::to_string(block.block), text::grouped(block.key_bits), text::grouped(block.errors),
                    block.tests.chsh ? estimate_text(*block.tests.chsh) : "–",
                    phase ? fmt::format("{:.2f} %", 100 * phase->value) : "–", text::grouped(block.disclosed),
                    text::grouped(block.announced), text::grouped(block.certified), verdict_of(block)});
  }
  return rows;
}

std::string floors_of(const Audit& audit) {
  const post::PostConfig& config = audit.config;
  return fmt::format(
      "ε_sec {:g} and ε_cor {:g} for each block, {:g} for all with a key\n"
      "|S| from {:g}, error rate to {:g} %, {:g} standard deviations; dead time {} slots at Alice, {} at Bob\n",
      config.epsilon_secrecy, config.epsilon_correctness, post::total_epsilon(config, audit.blocks), config.bell_floor,
      100 * config.error_tolerance, config.sigmas, config.dead_slots[0], config.dead_slots[1]);
}

std::string list_of(std::span<const std::string_view> lines) {
  std::string text;
  for (const std::string_view line : lines) text += fmt::format("  {}\n", line);
  return text;
}

boost::json::array json_of(std::span<const std::string_view> lines) {
  boost::json::array array;
  for (const std::string_view line : lines) array.emplace_back(line);
  return array;
}

boost::json::object json_of(const post::PostConfig& config) {
  return {{"epsilon_secrecy", config.epsilon_secrecy},
          {"epsilon_correctness", config.epsilon_correctness},
          {"error_tolerance", config.error_tolerance},
          {"bell_floor", config.bell_floor},
          {"sigmas", config.sigmas},
          {"dead_slots", {config.dead_slots[0], config.dead_slots[1]}}};
}

}  // namespace

std::ptrdiff_t Audit::mismatches() const {
  return std::ranges::count_if(blocks, [](const auto& block) { return !block.problem.empty(); });
}

std::ptrdiff_t Audit::keys() const { return std::ranges::count_if(blocks, &post::AuditedBlock::has_key); }

bool Audit::holds() const { return mismatches() == 0 && unmet.empty() && !blocks.empty(); }

files::OrText<Audit> audit_file(const std::string& file, const std::vector<post::Requirement>& required) {
  QSP_TRY(const auto content, files::read_file(file, kMostTranscript));
  auto transcript = post::read_transcript(content.text.reveal());
  if (!transcript) {
    return std::unexpected(fmt::format("{}: {}; qsp e91 run --transcript writes one", file, transcript.error().where));
  }
  std::vector<post::AuditedBlock> blocks = post::audit(*transcript);
  std::vector<std::string> unmet = post::unmet(required, transcript->config, blocks);
  return Audit{.config = transcript->config, .blocks = std::move(blocks), .unmet = std::move(unmet)};
}

boost::json::object json_of(const Audit& audit) {
  boost::json::array lines;
  for (const post::AuditedBlock& block : audit.blocks) lines.push_back(json_of(audit.config.mode, block));
  return {{"mode", audit.config.mode == Mode::Biased ? "biased" : "classic"},
          {"ok", audit.holds()},
          {"parameters", json_of(audit.config)},
          {"epsilon_total", post::total_epsilon(audit.config, audit.blocks)},
          {"unmet", json_of(std::vector<std::string_view>(audit.unmet.begin(), audit.unmet.end()))},
          {"blocks_with_key", audit.keys()},
          {"mismatches", audit.mismatches()},
          {"blocks", std::move(lines)},
          {"checked", json_of(post::audited())},
          {"not_shown", json_of(post::beyond_audit())}};
}

std::string text_of(const Audit& audit) {
  return fmt::format("{}\n{}\n{} blocks, {} with a key, {} mismatches\nchecked:\n{}not shown by a transcript:\n{}",
                     floors_of(audit), text::columns(rows_of(audit.config.mode, audit.blocks)), audit.blocks.size(),
                     audit.keys(), audit.mismatches(), list_of(post::audited()), list_of(post::beyond_audit()));
}

}  // namespace qsp::e91::study
