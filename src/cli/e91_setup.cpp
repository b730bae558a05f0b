#include "cli/e91_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <utility>

#include "cli/command.hpp"
#include "cli/option_types.hpp"
#include "cli/text.hpp"
#include "e91/hashing/verification.hpp"
#include "e91/keyrate/entropy.hpp"
#include "e91/keyrate/rate.hpp"
#include "e91/post/estimate.hpp"
#include "e91/seeded.hpp"
#include "qsp/openssl.hpp"

namespace qsp::cli {
namespace {

using files::OrText;
using namespace std::chrono_literals;

constexpr std::uint64_t kShortestBlock = 100;  ///< far too short for a key, enough to see S
constexpr std::uint64_t kLongestBlock = 1'000'000;
/// Clicks of one side in a block: about two seconds of simulation.
constexpr double kMostClicks = 4e6;

/// A source of down-conversion at Alice's: 810 nm to her silicon diodes, 1550 nm through fibre to Bob's nanowires.
e91::LinkFile built_in_link() {
  e91::LinkFile link;
  link.title = "810/1550 nm pairs, 20 km of fibre";
  link.config = {.slots_per_s = 1e9, .mean_pairs = 0.004, .visibility = 0.98, .intrinsic_error = 0.002};
  link.config.alice = {.extra_loss_db = 3, .detector_efficiency = 0.6, .dark_counts_per_s = 250, .dead_time_ns = 45};
  link.config.bob = {
      .fibre_km = 20, .extra_loss_db = 3, .detector_efficiency = 0.8, .dark_counts_per_s = 100, .dead_time_ns = 40};
  return link;
}

template <class Value>
void put(const std::optional<double>& given, Value& out) {
  if (given) out = *given;
}

std::uint64_t bits_in_budget(const e91::LinkConfig& link) {
  const e91::Expected expected = e91::expected(link, *e91::no_eve());
  const double most = std::max(expected.alice_singles_per_s, expected.bob_singles_per_s);
  if (!(most > 0)) return kLongestBlock;
  const double bits = kMostClicks / most * expected.key_pairs_per_s;
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(bits), kShortestBlock, kLongestBlock);
}

/// The counts of each pair of settings that a block with so many key bits has on average.
e91::Outcomes mean_outcomes(const e91::LinkConfig& link, const e91::Expected& expected, double key_bits) {
  const e91::Weights alice = e91::weights(link.mode, e91::Side::Alice, link.p_z);
  const e91::Weights bob = e91::weights(link.mode, e91::Side::Bob, link.p_z);
  const auto share = [&](std::size_t i, std::size_t j) { return alice.at(i) / 65536.0 * (bob.at(j) / 65536.0); };
  const bool biased = link.mode == e91::Mode::Biased;
  const double key_share =
      biased ? share(0, 0) * expected.settings[0][0].gain
             : share(1, 0) * expected.settings[1][0].gain + share(2, 1) * expected.settings[2][1].gain;
  e91::Outcomes outcomes{};
  for (std::size_t i = 0; i < e91::kMaxSettings; ++i) {
    for (std::size_t j = 0; j < e91::kMaxSettings; ++j) {
      const e91::SettingsExpected& one = expected.settings.at(i).at(j);
      const double scale = key_share > 0 ? key_bits * share(i, j) / key_share : 0;
      const auto same = static_cast<std::uint64_t>(std::llround(scale * one.equal));
      const auto all = static_cast<std::uint64_t>(std::llround(scale * one.gain));
      outcomes.at(e91::kMaxSettings * i + j) = {.same = same, .different = std::max(all, same) - same};
    }
  }
  return outcomes;
}

}  // namespace

double fibre_km(const e91::LinkConfig& link) noexcept { return link.alice.fibre_km + link.bob.fibre_km; }

e91::LocalConfig E91Setup::local() const {
  e91::LocalConfig config{.link = link.config, .post = e91::post_of(link.config), .block_bits = block_bits};
  return config;
}

void add_e91_link_options(Command& verb, E91LinkOptions& options) {
  const auto number = [&](const char* name, std::optional<double>& out, double least, double most, const char* text) {
    return verb.add_option(name, out, text)->check(range(least, most))->group("Link");
  };
  verb.add_option("--link", options.file, "description of a link, a TOML file (examples/links)")->group("Link");
  number("--distance", options.distance_km, 0, 100'000, "km of fibre to Bob (20)");
  number("--mean-pairs", options.mean_pairs, 0, e91::kMaxMeanPairs, "pairs for each slot, at the source (0.004)");
  number("--slots-per-s", options.slots_per_s, 1, e91::kMaxSlotsPerSecond,
         "pulse rate, or 1 / coincidence window (1e9)");
  number("--visibility", options.visibility, 0, 1, "of the source (0.98)");
  number("--intrinsic-error", options.intrinsic_error, 0, 1, "how often a pulse's bits arrive exchanged (0.002)");
  number("--misalignment", options.misalignment_deg, -180, 180, "of Bob's analysers, degrees on the Bloch sphere (0)");
  number("--loss-db", options.loss_db, 0, 200, "loss on Bob's way beside that of the fibre (3)");
  number("--efficiency", options.efficiency, 0, 1, "of all detectors (0.6 at Alice, 0.8 at Bob)");
  number("--dark-counts", options.dark_counts, 0, 1e9, "of each detector, per second (250 at Alice, 100 at Bob)");
  verb.add_option("--dead-time", options.dead_time_ns,
                  "of a station after a click, such as 45ns (45ns at Alice, 40ns at Bob)")
      ->check(is_time(0ns, 1s, 1ns))
      ->type_name("TIME")
      ->group("Link");
  verb.add_option("--mode", options.mode,
                  "biased: Z/Z is key, X/X tests it; classic: Ekert's three angles each (biased)")
      ->check(one_of({"biased", "classic"}))
      ->group("Link");
  number("--p-z", options.p_z, 0.01, 0.99, "biased: how often each side chooses Z (what brings most key)");
  verb.add_option("--eve", options.eve,
                  "none, intercept:FRACTION, probe:STRENGTH (both with [,angle=DEGREES][,arm=alice|bob|both]),\n"
                  "source:separable, source:werner=VISIBILITY or blinding")
      ->check(Check(
          [](const std::string& text) {
            const auto eve = e91::parse_eve(text);
            return eve ? std::string() : eve.error();
          },
          "TEXT"))
      ->capture_default_str();
  verb.add_option("--block-bits", options.block_bits, "sifted key bits of a block (up to 1,000,000 in a few seconds)")
      ->check(range(kShortestBlock, std::uint64_t{e91::kMaxKeyBits}));
  verb.add_option("--seed", options.seed, "repeat a run: 64 hex digits, or any text; such keys are no secrets");
}

std::optional<std::string> block_problem(const e91::LocalConfig& config) {
  if (e91::slots_for(config.link, config.block_bits) == 0) {
    return fmt::format(
        "this link brings too little for a block of {} bits: give it more pairs or less loss (--mean-pairs, --loss-db, "
        "--distance), or a smaller --block-bits",
        grouped(config.block_bits));
  }
  const e91::Expected expected = e91::expected(config.link, *e91::no_eve());
  const double most = 0.9 * e91::kMaxClicks / expected.bob_singles_per_s * expected.key_pairs_per_s;
  if (static_cast<double>(config.block_bits) > most) {
    return fmt::format(
        "a block of {} bits of this link would take more clicks of Bob than one message holds ({}): --block-bits {} at "
        "most",
        grouped(config.block_bits), grouped(e91::kMaxClicks), static_cast<std::uint64_t>(most));
  }
  return std::nullopt;
}

namespace {

double endless_rate(const E91Setup& setup, const e91::Eve& eve) {
  constexpr double kUsual = 0.9;
  e91::LinkConfig link = setup.link.config;
  if (setup.p_z_is_chosen) link.p_z = kUsual;
  const e91::Expected expected = e91::expected(link, eve);
  const double phase =
      link.mode == e91::Mode::Biased ? expected.phase_error : e91::keyrate::phase_error(expected.s, expected.qber);
  return std::max(0.0, e91::keyrate::asymptotic_rate(phase, expected.qber, kE91Efficiency)) * expected.key_pairs_per_s;
}

}  // namespace

E91Forecast forecast(const E91Setup& setup, const e91::Eve& eve) {
  const e91::LocalConfig config = setup.local();
  const e91::Expected expected = e91::expected(config.link, eve);
  E91Forecast made;
  if (!(expected.key_pairs_per_s > 0)) return made;
  const auto bits = static_cast<double>(config.block_bits);
  const double told = kE91Efficiency * e91::keyrate::binary_entropy(expected.qber);
  made.seconds = bits / expected.key_pairs_per_s;
  made.endless_rate_per_s = endless_rate(setup, eve);
  const e91::TestResult tests = e91::evaluate(config.link.mode, mean_outcomes(config.link, expected, bits));
  if (e91::object_to_tests(config.post, tests, config.block_bits)) return made;
  made.length = e91::certify(config.post, tests,
                             {.key_bits = config.block_bits,
                              .errors = static_cast<std::uint64_t>(std::llround(expected.qber * bits)),
                              .disclosed = static_cast<std::uint64_t>(told * bits) + e91::hashing::kVerificationBits})
                    .length;
  made.rate_per_s = static_cast<double>(made.length) / made.seconds;
  return made;
}

namespace {

/// Chooses what `options` leave open.
void choose_block(const E91LinkOptions& options, E91Setup& setup) {
  const auto bits = [&] { return options.block_bits.value_or(bits_in_budget(setup.link.config)); };
  setup.block_bits = bits();
  if (options.p_z || !options.file.empty() || setup.link.config.mode == e91::Mode::Classic) return;
  setup.p_z_is_chosen = true;
  constexpr double kMostTests = 0.5;  // where no p_z brings a key, the rates beside it go on without a jump
  double best = 0;
  double chosen = kMostTests;
  const auto honest = e91::no_eve();
  for (int percent = 50; percent <= 95; percent += 5) {
    setup.link.config.p_z = percent / 100.0;
    setup.block_bits = bits();
    const double rate = forecast(setup, *honest).rate_per_s;
    if (rate > best) {
      best = rate;
      chosen = setup.link.config.p_z;
    }
  }
  setup.link.config.p_z = chosen;
  setup.block_bits = bits();
}

}  // namespace

OrText<E91Setup> set_up(const E91LinkOptions& options) {
  E91Setup setup;
  setup.link = built_in_link();
  if (!options.file.empty()) {
    auto read = e91::load_link_file(options.file);
    if (!read) return std::unexpected(std::move(read.error()));
    setup.link = std::move(*read);
  }
  e91::LinkConfig& config = setup.link.config;
  put(options.distance_km, config.bob.fibre_km);
  put(options.mean_pairs, config.mean_pairs);
  put(options.slots_per_s, config.slots_per_s);
  put(options.visibility, config.visibility);
  put(options.intrinsic_error, config.intrinsic_error);
  put(options.loss_db, config.bob.extra_loss_db);
  put(options.p_z, config.p_z);
  if (options.misalignment_deg) config.misalignment_rad = *options.misalignment_deg * std::numbers::pi / 180;
  for (e91::ArmConfig* const arm : {&config.alice, &config.bob}) {
    put(options.efficiency, arm->detector_efficiency);
    put(options.dark_counts, arm->dark_counts_per_s);
    put(options.dead_time_ns, arm->dead_time_ns);
  }
  if (!options.mode.empty()) config.mode = options.mode == "biased" ? e91::Mode::Biased : e91::Mode::Classic;
  if (options.file.empty() && options.distance_km) {
    setup.link.title = fmt::format("810/1550 nm pairs, {:g} km of fibre", *options.distance_km);
  }
  if (const auto valid = e91::validate(config); !valid) return std::unexpected(std::string(valid.error().where));
  setup.eve = options.eve;
  choose_block(options, setup);
  return setup;
}

OrText<E91Random> E91Random::create(const std::string& seed) {
  E91Random random;
  auto library = crypto::make_openssl_provider();
  if (!library) return std::unexpected(std::move(library.error()));
  random.library_ = std::move(*library);
  if (seed.empty()) return random;

  e91::Seed bytes;
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  if (seed.size() == 2 * bytes.reveal().size() && seed.find_first_not_of(kHex) == std::string::npos) {
    for (std::size_t i = 0; i < bytes.reveal().size(); ++i) {
      bytes.writable()[i] = static_cast<std::uint8_t>(std::stoul(seed.substr(2 * i, 2), nullptr, 16));
    }
  } else {
    const auto digest = random.library_->hkdf().hash({as_bytes("qsp e91 seed"), as_bytes(seed)});
    if (!digest) return std::unexpected(std::string(digest.error().where));
    std::copy_n(digest->begin(), bytes.reveal().size(), bytes.writable().begin());
  }
  auto seeded = e91::make_seeded_provider(*random.library_, std::move(bytes));
  if (!seeded) return std::unexpected(std::string(seeded.error().where));
  random.seeded_ = std::move(*seeded);
  return random;
}

}  // namespace qsp::cli
