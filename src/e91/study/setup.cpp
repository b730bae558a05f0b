#include "e91/study/setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/hex.hpp"
#include "base/try.hpp"
#include "crypto/routed/provider.hpp"
#include "e91/hashing/verification.hpp"
#include "e91/keyrate/entropy.hpp"
#include "e91/keyrate/rate.hpp"
#include "e91/post/estimate.hpp"
#include "e91/seeded.hpp"

namespace qsp::e91::study {
namespace {

using files::OrText;

constexpr std::uint64_t kLongestBlock = 1'000'000;
/// Clicks of one side in a block: about two seconds of simulation.
constexpr double kMostClicks = 4e6;

/// A source of down-conversion at Alice's: 810 nm to her silicon diodes, 1550 nm through fibre to Bob's nanowires.
link::LinkFile built_in_link() {
  link::LinkFile link;
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

std::uint64_t bits_in_budget(const link::LinkConfig& link) {
  const link::Expected expected = e91::link::expected(link, *link::no_eve());
  const double most = std::max(expected.alice_singles_per_s, expected.bob_singles_per_s);
  if (!(most > 0)) return kLongestBlock;
  const double bits = kMostClicks / most * expected.key_pairs_per_s;
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(bits), kShortestBlock, kLongestBlock);
}

/// The counts of each pair of settings that a block with so many key bits has on average.
post::Outcomes mean_outcomes(const link::LinkConfig& link, const link::Expected& expected, double key_bits) {
  const Weights alice = weights(link.mode, Side::Alice, link.p_z);
  const Weights bob = weights(link.mode, Side::Bob, link.p_z);
  const auto share = [&](std::size_t i, std::size_t j) { return alice.at(i) / 65536.0 * (bob.at(j) / 65536.0); };
  const bool biased = link.mode == Mode::Biased;
  const double key_share =
      biased ? share(0, 0) * expected.settings[0][0].gain
             : share(1, 0) * expected.settings[1][0].gain + share(2, 1) * expected.settings[2][1].gain;
  post::Outcomes outcomes{};
  for (std::size_t i = 0; i < kMaxSettings; ++i) {
    for (std::size_t j = 0; j < kMaxSettings; ++j) {
      const link::SettingsExpected& one = expected.settings.at(i).at(j);
      const double scale = key_share > 0 ? key_bits * share(i, j) / key_share : 0;
      const auto same = static_cast<std::uint64_t>(std::llround(scale * one.equal));
      const auto all = static_cast<std::uint64_t>(std::llround(scale * one.gain));
      outcomes.at(kMaxSettings * i + j) = {.same = same, .different = std::max(all, same) - same};
    }
  }
  return outcomes;
}

}  // namespace

double fibre_km(const link::LinkConfig& link) noexcept { return link.alice.fibre_km + link.bob.fibre_km; }

local::LocalConfig Setup::local() const {
  local::LocalConfig config{.link = link.config, .post = local::post_of(link.config), .block_bits = block_bits};
  return config;
}

std::optional<BlockProblem> block_problem(const local::LocalConfig& config) {
  if (local::slots_for(config.link, config.block_bits) == 0) return BlockProblem{};
  const link::Expected expected = e91::link::expected(config.link, *link::no_eve());
  const double most = 0.9 * post::kMaxClicks / expected.bob_singles_per_s * expected.key_pairs_per_s;
  if (static_cast<double>(config.block_bits) > most) return BlockProblem{.most_bits = static_cast<std::uint64_t>(most)};
  return std::nullopt;
}

namespace {

double endless_rate(const Setup& setup, const link::Eve& eve) {
  constexpr double kUsual = 0.9;
  link::LinkConfig link = setup.link.config;
  if (setup.p_z_is_chosen) link.p_z = kUsual;
  const link::Expected expected = e91::link::expected(link, eve);
  const double phase =
      link.mode == Mode::Biased ? expected.phase_error : keyrate::phase_error(expected.s, expected.qber);
  return std::max(0.0, keyrate::asymptotic_rate(phase, expected.qber, kAssumedEfficiency)) * expected.key_pairs_per_s;
}

}  // namespace

Forecast forecast(const Setup& setup, const link::Eve& eve) {
  const local::LocalConfig config = setup.local();
  const link::Expected expected = e91::link::expected(config.link, eve);
  Forecast made;
  if (!(expected.key_pairs_per_s > 0)) return made;
  const auto bits = static_cast<double>(config.block_bits);
  const double told = kAssumedEfficiency * keyrate::binary_entropy(expected.qber);
  made.seconds = bits / expected.key_pairs_per_s;
  made.endless_rate_per_s = endless_rate(setup, eve);
  const post::TestResult tests = post::evaluate(config.link.mode, mean_outcomes(config.link, expected, bits));
  if (object_to_tests(config.post, tests, config.block_bits)) return made;
  made.length = certify(config.post, tests,
                        {.key_bits = config.block_bits,
                         .errors = static_cast<std::uint64_t>(std::llround(expected.qber * bits)),
                         .disclosed = static_cast<std::uint64_t>(told * bits) + hashing::kVerificationBits})
                    .length;
  made.rate_per_s = static_cast<double>(made.length) / made.seconds;
  return made;
}

namespace {

/// Chooses what `options` leave open.
void choose_block(const LinkOptions& options, Setup& setup) {
  const auto bits = [&] { return options.block_bits.value_or(bits_in_budget(setup.link.config)); };
  setup.block_bits = bits();
  if (options.p_z || !options.file.empty() || setup.link.config.mode == Mode::Classic) return;
  setup.p_z_is_chosen = true;
  constexpr double kMostTests = 0.5;  // where no p_z brings a key, the rates beside it go on without a jump
  double best = 0;
  double chosen = kMostTests;
  const auto honest = link::no_eve();
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

OrText<Setup> set_up(const LinkOptions& options) {
  Setup setup;
  setup.link = built_in_link();
  if (!options.file.empty()) {
    QSP_TRY(auto read, link::load_link_file(options.file));
    setup.link = std::move(read);
  }
  link::LinkConfig& config = setup.link.config;
  put(options.distance_km, config.bob.fibre_km);
  put(options.mean_pairs, config.mean_pairs);
  put(options.slots_per_s, config.slots_per_s);
  put(options.visibility, config.visibility);
  put(options.intrinsic_error, config.intrinsic_error);
  put(options.loss_db, config.bob.extra_loss_db);
  put(options.p_z, config.p_z);
  if (options.misalignment_deg) config.misalignment_rad = *options.misalignment_deg * std::numbers::pi / 180;
  for (link::ArmConfig* const arm : {&config.alice, &config.bob}) {
    put(options.efficiency, arm->detector_efficiency);
    put(options.dark_counts, arm->dark_counts_per_s);
    put(options.dead_time_ns, arm->dead_time_ns);
  }
  if (!options.mode.empty()) config.mode = options.mode == "biased" ? Mode::Biased : Mode::Classic;
  if (options.file.empty() && options.distance_km) {
    setup.link.title = fmt::format("810/1550 nm pairs, {:g} km of fibre", *options.distance_km);
  }
  if (const auto valid = validate(config); !valid) return std::unexpected(std::string(valid.error().where));
  setup.eve = options.eve;
  choose_block(options, setup);
  return setup;
}

OrText<Randomness> Randomness::create(const std::string& seed) {
  Randomness random;
  QSP_TRY(auto library, crypto::make_provider());
  random.library_ = std::move(library);
  if (seed.empty()) return random;

  Seed bytes;
  if (!from_hex(seed, bytes.writable())) {
    const auto digest = random.library_->hkdf().hash({as_bytes("qsp e91 seed"), as_bytes(seed)});
    if (!digest) return std::unexpected(std::string(digest.error().where));
    std::copy_n(digest->begin(), bytes.reveal().size(), bytes.writable().begin());
  }
  auto seeded = make_seeded_provider(*random.library_, std::move(bytes));
  if (!seeded) return std::unexpected(std::string(seeded.error().where));
  random.seeded_ = std::move(*seeded);
  return random;
}

OrText<std::string> draw_seed() {
  QSP_TRY(auto random, Randomness::create(""));
  std::array<std::uint8_t, 8> bytes{};
  if (auto drawn = random.provider().rng().fill(bytes); !drawn)
    return std::unexpected(std::string(drawn.error().where));
  return to_hex(bytes);
}

}  // namespace qsp::e91::study
