#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/profile.hpp"
#include "cli/text.hpp"
#include "qsp/openssl.hpp"
#include "rc155/attack/fuzz.hpp"

namespace qsp::cli {
namespace {

struct FuzzOptions {
  std::string profile = "rc155";
  rc155::attack::RekeyFuzzParameters rekey;
};

/// A line that counts cases on a terminal, once a run lasts longer than 2 s.
class Progress {
 public:
  explicit Progress(std::uint64_t cases) : cases_(cases) {}
  ~Progress() {
    if (shown_) print_err("\r\x1b[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void tell(std::uint64_t done) {
    constexpr std::chrono::seconds kPatience{2};
    if (!terminal_ || std::chrono::steady_clock::now() - started_ < kPatience) return;
    print_err("\rcase {} of {}", grouped(done), grouped(cases_));
    shown_ = true;
  }

 private:
  std::uint64_t cases_;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool shown_ = false;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

void print_result(const Context& context, const rc155::attack::RekeyFuzzResult& result) {
  if (context.json) {
    print_json({{"cases", result.cases},
                {"steps", result.steps},
                {"mutate_prob", result.mutate_prob},
                {"seed", result.seed},
                {"ok", result.ok},
                {"failure", result.failure},
                {"mutations", result.mutations},
                {"rekeys", result.rekeys},
                {"frames", result.frames},
                {"closed_cases", result.closed_cases},
                {"digest", fmt::format("{:016x}", result.digest)}});
    return;
  }
  print_out("cases: {}\nsteps/case: {}\nmutate_prob: {}\nseed: {}\n", result.cases, result.steps, result.mutate_prob,
            result.seed);
  print_out("frames: {}, rekeys: {}, mutations: {}, sessions closed: {}, digest: {:016x}\n", grouped(result.frames),
            grouped(result.rekeys), grouped(result.mutations), grouped(result.closed_cases), result.digest);
  print_out("result: {}{}\n", result.ok ? "OK" : "FAILED: ", result.ok ? "" : escape(result.failure));
}

int fuzz_rekey(const Context& context, const FuzzOptions& options) {
  if (const auto profile = find_profile(options.profile); !profile) {
    print_error(profile.error());
    return kUsage;
  }
  const auto provider = crypto::make_openssl_provider();
  if (!provider) {
    print_error(provider.error());
    return kFailed;
  }
  rc155::attack::RekeyFuzzResult result;
  {
    Progress progress(options.rekey.cases);
    result = rc155::attack::fuzz_rekey(**provider, options.rekey, [&progress](std::uint64_t done) {
      progress.tell(done);
      return true;
    });
  }
  print_result(context, result);
  return result.ok ? kOk : kFailed;
}

}  // namespace

void add_fuzz(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("fuzz", "attack this machine's own code at random, without a peer");
  verb->require_subcommand(1);
  set_help(*verb, {.examples = {"qsp fuzz rekey", "qsp fuzz rekey --seed 7 --cases 30 --json"}});
  Command* const rekey = verb->add_subcommand("rekey", "two ends in memory that rekey while their frames are altered");
  const auto options = std::make_shared<FuzzOptions>();
  rekey->add_option("--profile", options->profile, "protocol to fuzz; rc155 alone can be fuzzed here")
      ->capture_default_str();
  rekey->add_option("--cases", options->rekey.cases, "independent cases")
      ->capture_default_str()
      ->check(range(1, 1'000'000'000));
  rekey->add_option("--steps", options->rekey.steps, "steps of a case")
      ->capture_default_str()
      ->check(range(1, 1'000'000'000));
  rekey->add_option("--seed", options->rekey.seed, "what the run follows from: a seed repeats its run")
      ->capture_default_str();
  rekey->add_option("--mutate-prob", options->rekey.mutate_prob, "probability that a step alters a frame")
      ->capture_default_str()
      ->check(range(0.0, 1.0));
  set_help(*rekey, {.notes = "Profile 1.0 is fuzzed by the programs in fuzz/ instead.",
                    .examples = {"qsp fuzz rekey --cases 300 --steps 2000 --seed 1 --mutate-prob 0.15"},
                    .done = "no rule was broken",
                    .failed = "a rule was broken: the result says in which case and step"});
  rekey->callback(
      [options, &context] { context.action = [options, &context] { return fuzz_rekey(context, *options); }; });
}

}  // namespace qsp::cli
