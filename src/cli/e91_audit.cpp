#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <memory>
#include <string>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91.hpp"
#include "cli/e91_result.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "e91/keyrate/statistics.hpp"
#include "e91/post/audit.hpp"
#include "files/file.hpp"

namespace qsp::cli {
namespace {

/// Some ten thousand blocks of their usual size.
constexpr std::size_t kMostTranscript = std::size_t{1} << 30;

int stop(std::string_view text) {
  print_error(text);
  return kFailed;
}

std::string verdict_of(const e91::AuditedBlock& block) {
  if (!block.problem.empty()) return "MISMATCH: " + escape(block.problem);
  if (block.aborted) return fmt::format("OK, given up: {}", e91::describe(*block.aborted));
  return block.complete ? "OK" : "OK so far, the block has no end";
}

double qber_of(const e91::AuditedBlock& block) {
  return static_cast<double>(block.errors) / static_cast<double>(std::max<std::uint64_t>(1, block.key_bits));
}

/// Of the conjugate basis, or in Classic what |S| says of it; nothing where nothing was disclosed.
std::optional<e91::keyrate::Estimate> phase_error_of(e91::Mode mode, const e91::AuditedBlock& block) {
  if (mode == e91::Mode::Biased) return e91::keyrate::error_rate(block.tests.phase);
  if (!block.tests.chsh) return std::nullopt;
  return e91::keyrate::Estimate{.value = e91::keyrate::phase_error(block.tests.chsh->value, qber_of(block))};
}

boost::json::object json_of(e91::Mode mode, const e91::AuditedBlock& block) {
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

E91Rows rows_of(e91::Mode mode, const std::vector<e91::AuditedBlock>& blocks) {
  E91Rows rows{{"block", "sifted n", "errors", "S", "e_phase", "leak", "ℓ announced", "ℓ recomputed", "verdict"}};
  for (const e91::AuditedBlock& block : blocks) {
    const auto phase = phase_error_of(mode, block);
    rows.push_back({std::to_string(block.block), grouped(block.key_bits), grouped(block.errors),
                    block.tests.chsh ? estimate_text(*block.tests.chsh) : "–",
                    phase ? fmt::format("{:.2f} %", 100 * phase->value) : "–", grouped(block.disclosed),
                    grouped(block.announced), grouped(block.certified), verdict_of(block)});
  }
  return rows;
}

int run_audit(const std::string& file, bool json) {
  const auto content = files::read_file(file, kMostTranscript);
  if (!content) return stop(content.error());
  const auto transcript = e91::read_transcript(as_bytes(content->text.reveal()));
  if (!transcript) {
    return stop(fmt::format("{}: {}; qsp e91 run --transcript writes one", file, transcript.error().where));
  }
  const std::vector<e91::AuditedBlock> blocks = e91::audit(*transcript);
  const e91::Mode mode = transcript->config.mode;
  const auto wrong = std::ranges::count_if(blocks, [](const auto& block) { return !block.problem.empty(); });
  const auto keys = std::ranges::count_if(blocks, &e91::AuditedBlock::has_key);
  if (json) {
    boost::json::array lines;
    for (const e91::AuditedBlock& block : blocks) lines.push_back(json_of(mode, block));
    print_json({{"mode", mode == e91::Mode::Biased ? "biased" : "classic"},
                {"ok", wrong == 0 && !blocks.empty()},
                {"blocks_with_key", keys},
                {"mismatches", wrong},
                {"blocks", std::move(lines)}});
  } else {
    print_out(
        "{}\n{} blocks, {} with a key, {} mismatches; the tags and Bob's count of errors cannot be checked "
        "from outside\n",
        columns(rows_of(mode, blocks)), blocks.size(), keys, wrong);
  }
  if (blocks.empty()) return stop(file + ": has no block in it");
  return wrong == 0 ? kOk : kFailed;
}

}  // namespace

void add_e91_audit(Command& e91, Context& context) {
  Command* const verb = e91.add_subcommand("audit", "work a run out again from what was said in public");
  const auto file = std::make_shared<std::string>();
  verb->add_option("TRANSCRIPT", *file, "a file of qsp e91 run --transcript")->required();
  set_help(*verb, {.examples = {"qsp e91 run --transcript t.qsp && qsp e91 audit t.qsp", "qsp e91 audit t.qsp --json"},
                   .done = "every block is as it must be",
                   .failed = "a block is not, or the file is no transcript"});
  verb->callback([file, &context] { context.action = [file, &context] { return run_audit(*file, context.json); }; });
}

}  // namespace qsp::cli
