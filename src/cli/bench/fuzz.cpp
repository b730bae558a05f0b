#include <fmt/format.h>

#include <optional>
#include <string>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/session/profile.hpp"
#include "cli/text.hpp"
#include "crypto/routed/provider.hpp"
#include "rc155/attack/fuzz.hpp"
#include "text/escape.hpp"
#include "text/progress.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

struct FuzzOptions {
  std::string profile = "rc155";
  rc155::attack::RekeyFuzzParameters rekey;
};

boost::json::object json_of(const rc155::attack::RekeyFuzzResult& result) {
  return {{"cases", result.cases},
          {"steps", result.steps},
          {"mutate_prob", result.mutate_prob},
          {"seed", result.seed},
          {"ok", result.ok},
          {"failure", result.failure},
          {"mutations", result.mutations},
          {"rekeys", result.rekeys},
          {"frames", result.frames},
          {"closed_cases", result.closed_cases},
          {"digest", fmt::format("{:016x}", result.digest)}};
}

std::string text_of(const rc155::attack::RekeyFuzzResult& result) {
  return fmt::format(
      "cases: {}\nsteps/case: {}\nmutate_prob: {}\nseed: {}\n"
      "frames: {}, rekeys: {}, mutations: {}, sessions closed: {}, digest: {:016x}\nresult: {}{}\n",
      result.cases, result.steps, result.mutate_prob, result.seed, text::grouped(result.frames),
      text::grouped(result.rekeys), text::grouped(result.mutations), text::grouped(result.closed_cases), result.digest,
      result.ok ? "OK" : "FAILED: ", result.ok ? "" : text::terminal_escape(result.failure));
}

/// Why that profile cannot be fuzzed here, if so.
std::optional<std::string> cannot_fuzz(const std::string& name) {
  const auto profile = find_profile(name);
  if (!profile) return profile.error();
  if (*profile == node::ProfileId::DangerousRc155) return std::nullopt;
  return fmt::format("profile {} cannot be fuzzed here (rc155 can: --profile rc155)", name);
}

int fuzz_rekey(const FuzzOptions& options, bool json) {
  if (const auto problem = cannot_fuzz(options.profile)) return failed(*problem, kUsage);
  const auto provider = crypto::make_provider();
  if (!provider) return failed(provider.error());
  rc155::attack::RekeyFuzzResult result;
  {
    text::Progress progress(write_err);
    const std::string cases = text::grouped(options.rekey.cases);
    result = rc155::attack::fuzz_rekey(**provider, options.rekey, [&](std::uint64_t done) {
      progress.say(fmt::format("case {} of {}", text::grouped(done), cases));
      return true;
    });
  }
  print_result(json, json_of(result), text_of(result));
  return result.ok ? kOk : kFailed;
}

}  // namespace

void add_fuzz(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("fuzz", "attack this machine's own code at random, without a peer");
  verb->require_subcommand(1);
  set_help(*verb, {.examples = {"qsp fuzz rekey", "qsp fuzz rekey --seed 7 --cases 30 --json"}});
  Command* const rekey = verb->add_subcommand("rekey", "two ends in memory that rekey while their frames are altered");
  const auto options = options_of<FuzzOptions>(*rekey, context, fuzz_rekey);
  rekey->add_option("--profile", options->profile, "protocol to fuzz; only rc155 can be fuzzed here")
      ->capture_default_str();
  rekey->add_checked("--cases", options->rekey.cases, "independent cases", range(1, 1'000'000'000));
  rekey->add_checked("--steps", options->rekey.steps, "steps per case", range(1, 1'000'000'000));
  rekey->add_option("--seed", options->rekey.seed, "seed of the run, with which it can be repeated")
      ->capture_default_str();
  rekey->add_checked("--mutate-prob", options->rekey.mutate_prob, "probability that a step alters a frame",
                     range(0.0, 1.0));
  set_help(*rekey, {.notes = "Profile 1.0 is fuzzed by the programs in fuzz/ instead.",
                    .examples = {"qsp fuzz rekey --cases 300 --steps 2000 --seed 1 --mutate-prob 0.15"},
                    .done = "no rule was broken",
                    .failed = "a rule was broken: the result says in which case and step"});
}

}  // namespace qsp::cli
