#include <memory>
#include <utility>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91/e91.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "e91/post/messages.hpp"
#include "e91/study/bench.hpp"
#include "text/progress.hpp"

namespace qsp::cli {
namespace {

int run_bench(const e91::study::BenchOptions& options, bool json) {
  text::Progress progress(write_err);
  const auto figures = e91::study::measure(options, [&](std::string what) { progress.say(std::move(what)); });
  progress.finish();
  if (!figures) return failed(figures.error());
  print_result(json, json_of(options, *figures), text_of(options, *figures));
  return kOk;
}

}  // namespace

void add_e91_bench(Command& e91, Context& context) {
  Command* const verb = e91.add_subcommand("bench", "measure the simulator and the post-processing on this machine");
  const auto options = options_of<e91::study::BenchOptions>(*verb, context, run_bench);
  verb->add_checked("--blocks", options->blocks, "blocks for each figure of Cascade and of whole blocks",
                    range(1, 100'000));
  verb->add_checked("--key-bits", options->key_bits, "sifted bits of a block",
                    range(std::size_t{10'000}, e91::post::kMaxKeyBits));
  set_help(*verb, {.examples = {"qsp e91 bench", "qsp e91 bench --blocks 100 --json"}});
}

}  // namespace qsp::cli
