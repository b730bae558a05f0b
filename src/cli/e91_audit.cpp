#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <memory>
#include <string>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91.hpp"
#include "cli/e91_rows.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "e91/keyrate/statistics.hpp"
#include "e91/post/audit.hpp"
#include "e91/post/require.hpp"
#include "files/file.hpp"
#include "text/escape.hpp"
#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

/// Some ten thousand blocks of their usual size.
constexpr std::size_t kMostTranscript = std::size_t{1} << 30;

std::string verdict_of(const e91::post::AuditedBlock& block) {
  if (!block.problem.empty()) return "MISMATCH: " + text::terminal_escape(block.problem);
  if (block.aborted) return fmt::format("OK, given up: {}", e91::post::describe(*block.aborted));
  return block.complete ? "OK" : "OK so far, the block has no end";
}

double qber_of(const e91::post::AuditedBlock& block) {
  return static_cast<double>(block.errors) / static_cast<double>(std::max<std::uint64_t>(1, block.key_bits));
}

/// Of the conjugate basis, or in Classic what |S| says of it; nothing where nothing was disclosed.
std::optional<e91::keyrate::Estimate> phase_error_of(e91::Mode mode, const e91::post::AuditedBlock& block) {
  if (mode == e91::Mode::Biased) return e91::keyrate::error_rate(block.tests.phase);
  if (!block.tests.chsh) return std::nullopt;
  return e91::keyrate::Estimate{.value = e91::keyrate::phase_error(block.tests.chsh->value, qber_of(block))};
}

boost::json::object json_of(e91::Mode mode, const e91::post::AuditedBlock& block) {
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

text::Rows rows_of(e91::Mode mode, const std::vector<e91::post::AuditedBlock>& blocks) {
  text::Rows rows{{"block", "sifted n", "errors", "S", "e_phase", "leak", "ℓ announced", "ℓ recomputed", "verdict"}};
  for (const e91::post::AuditedBlock& block : blocks) {
    const auto phase = phase_error_of(mode, block);
    rows.push_back({std::to_string(block.block), text::grouped(block.key_bits), text::grouped(block.errors),
                    block.tests.chsh ? estimate_text(*block.tests.chsh) : "–",
                    phase ? fmt::format("{:.2f} %", 100 * phase->value) : "–", text::grouped(block.disclosed),
                    text::grouped(block.announced), text::grouped(block.certified), verdict_of(block)});
  }
  return rows;
}

std::string floors_of(const e91::post::Transcript& transcript, const std::vector<e91::post::AuditedBlock>& blocks) {
  const e91::post::PostConfig& config = transcript.config;
  return fmt::format(
      "ε_sec {:g} and ε_cor {:g} for each block, {:g} for all with a key\n"
      "|S| from {:g}, error rate to {:g} %, {:g} standard deviations; dead time {} slots at Alice, {} at Bob\n",
      config.epsilon_secrecy, config.epsilon_correctness, e91::post::total_epsilon(config, blocks), config.bell_floor,
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

boost::json::object json_of(const e91::post::PostConfig& config) {
  return {{"epsilon_secrecy", config.epsilon_secrecy},
          {"epsilon_correctness", config.epsilon_correctness},
          {"error_tolerance", config.error_tolerance},
          {"bell_floor", config.bell_floor},
          {"sigmas", config.sigmas},
          {"dead_slots", {config.dead_slots[0], config.dead_slots[1]}}};
}

int run_audit(const std::string& file, const std::vector<e91::post::Requirement>& required, bool json) {
  const auto content = files::read_file(file, kMostTranscript);
  if (!content) return failed(content.error());
  const auto transcript = e91::post::read_transcript(content->text.reveal());
  if (!transcript) {
    return failed(fmt::format("{}: {}; qsp e91 run --transcript writes one", file, transcript.error().where));
  }
  const std::vector<e91::post::AuditedBlock> blocks = e91::post::audit(*transcript);
  const e91::Mode mode = transcript->config.mode;
  const auto wrong = std::ranges::count_if(blocks, [](const auto& block) { return !block.problem.empty(); });
  const auto keys = std::ranges::count_if(blocks, &e91::post::AuditedBlock::has_key);
  const std::vector<std::string> unmet = e91::post::unmet(required, transcript->config, blocks);
  if (json) {
    boost::json::array lines;
    for (const e91::post::AuditedBlock& block : blocks) lines.push_back(json_of(mode, block));
    print_json({{"mode", mode == e91::Mode::Biased ? "biased" : "classic"},
                {"ok", wrong == 0 && !blocks.empty() && unmet.empty()},
                {"parameters", json_of(transcript->config)},
                {"epsilon_total", e91::post::total_epsilon(transcript->config, blocks)},
                {"unmet", json_of(std::vector<std::string_view>(unmet.begin(), unmet.end()))},
                {"blocks_with_key", keys},
                {"mismatches", wrong},
                {"blocks", std::move(lines)},
                {"checked", json_of(e91::post::audited())},
                {"not_shown", json_of(e91::post::beyond_audit())}});
  } else {
    print_out("{}\n{}\n{} blocks, {} with a key, {} mismatches\nchecked:\n{}not shown by a transcript:\n{}",
              floors_of(*transcript, blocks), text::columns(rows_of(mode, blocks)), blocks.size(), keys, wrong,
              list_of(e91::post::audited()), list_of(e91::post::beyond_audit()));
  }
  if (blocks.empty()) return failed(file + ": contains no block");
  for (const std::string& problem : unmet) print_error(file + ": " + problem);
  return wrong == 0 && unmet.empty() ? kOk : kFailed;
}

}  // namespace

void add_e91_audit(Command& e91, Context& context) {
  Command* const verb = e91.add_subcommand("audit", "check a run from what was said in public");
  const auto file = std::make_shared<std::string>();
  const auto required = std::make_shared<std::string>();
  verb->add_option("TRANSCRIPT", *file, "a file of qsp e91 run --transcript")->required();
  verb->add_option("--require", *required, "fail unless these hold, such as eps_sec<=1e-9,n>=100000,keys>=1")
      ->check(Check(
          [](const std::string& text) {
            const auto parsed = e91::post::parse_requirements(text);
            return parsed ? std::string() : parsed.error() + ", not '" + text + "'";
          },
          "LIST"));
  set_help(*verb, {.examples = {"qsp e91 run --transcript t.qsp && qsp e91 audit t.qsp",
                                "qsp e91 audit t.qsp --require 'eps_sec<=1e-9,keys>=1'", "qsp e91 audit t.qsp --json"},
                   .done = "every block is correct, and what --require asks for holds",
                   .failed = "a block is not correct, a requirement does not hold, or the file is not a transcript"});
  verb->callback([file, required, &context] {
    context.action = [file, required, &context] {
      std::vector<e91::post::Requirement> list;
      if (!required->empty())
        list = e91::post::parse_requirements(*required).value_or(std::vector<e91::post::Requirement>());
      return run_audit(*file, list, context.json);
    };
  });
}

}  // namespace qsp::cli
