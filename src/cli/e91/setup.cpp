#include "cli/e91/setup.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>

#include "cli/command.hpp"
#include "cli/option_types.hpp"
#include "text/units.hpp"

namespace qsp::cli {

using namespace std::chrono_literals;

void add_e91_link_options(Command& verb, e91::study::LinkOptions& options) {
  const auto number = [&](const char* name, std::optional<double>& out, double least, double most, const char* text) {
    return verb.add_option(name, out, text)->check(range(least, most))->group("Link");
  };
  verb.add_option("--link", options.file, "description of a link, a TOML file (examples/links)")->group("Link");
  number("--distance", options.distance_km, 0, 100'000, "km of fibre to Bob (20)");
  number("--mean-pairs", options.mean_pairs, 0, e91::link::kMaxMeanPairs, "pairs per slot, at the source (0.004)");
  number("--slots-per-s", options.slots_per_s, 1, e91::link::kMaxSlotsPerSecond,
         "pulse rate, or 1 / coincidence window (1e9)");
  number("--visibility", options.visibility, 0, 1, "visibility of the source (0.98)");
  number("--intrinsic-error", options.intrinsic_error, 0, 1, "how often the bits of a pulse arrive swapped (0.002)");
  number("--misalignment", options.misalignment_deg, -180, 180,
         "misalignment of Bob's analysers, degrees on the Bloch sphere (0)");
  number("--loss-db", options.loss_db, 0, 200, "loss on the way to Bob, besides that of the fibre (3)");
  number("--efficiency", options.efficiency, 0, 1, "efficiency of all detectors (0.6 at Alice, 0.8 at Bob)");
  number("--dark-counts", options.dark_counts, 0, 1e9,
         "dark counts of each detector, per second (250 at Alice, 100 at Bob)");
  verb.add_option("--dead-time", options.dead_time_ns,
                  "dead time of a station after a click, such as 45ns (45ns at Alice, 40ns at Bob)")
      ->check(is_time(0ns, 1s, 1ns))
      ->type_name("TIME")
      ->group("Link");
  verb.add_option("--mode", options.mode,
                  "biased: Z/Z gives the key, X/X tests it; classic: Ekert's three angles each (biased)")
      ->check(one_of({"biased", "classic"}))
      ->group("Link");
  number("--p-z", options.p_z, 0.01, 0.99, "biased: how often each side chooses Z (what gives the most key)");
  // Its check has to read the attack, and so keeps what it read.
  const auto eve = std::make_shared<std::string>(options.eve->name());
  verb.add_checked("--eve", *eve,
                   "none, intercept:FRACTION, probe:STRENGTH (both with [,angle=DEGREES][,arm=alice|bob|both]),\n"
                   "source:separable, source:werner=VISIBILITY or blinding",
                   Check(
                       [&options, eve](const std::string& text) {
                         auto attack = e91::link::parse_eve(text);
                         if (!attack) return attack.error();
                         options.eve = *std::move(attack);
                         return std::string();
                       },
                       "TEXT"));
  verb.add_option("--block-bits", options.block_bits,
                  "sifted key bits of a block (as many as take a few seconds, at most 1,000,000)")
      ->check(range(e91::study::kShortestBlock, std::uint64_t{e91::post::kMaxKeyBits}));
  verb.add_option("--seed", options.seed,
                  "repeat a run: 64 hex digits, or any text; keys made this way are not secret");
}

std::string describe(const e91::study::BlockProblem& problem, const e91::local::LocalConfig& config) {
  if (!problem.most_bits) {
    return fmt::format(
        "this link brings too little for a block of {} bits: give it more pairs or less loss (--mean-pairs, --loss-db, "
        "--distance), or a smaller --block-bits",
        text::grouped(config.block_bits));
  }
  return fmt::format(
      "a block of {} bits of this link would take more clicks of Bob than one message holds ({}): --block-bits {} at "
      "most",
      text::grouped(config.block_bits), text::grouped(e91::post::kMaxClicks), *problem.most_bits);
}

}  // namespace qsp::cli
