#include "e91/study/bench.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <ctime>
#include <utility>

#include "base/try.hpp"
#include "e91/cascade/figures.hpp"
#include "e91/hashing/figures.hpp"
#include "e91/link/link.hpp"
#include "e91/study/setup.hpp"
#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::e91::study {
namespace {

using files::OrText;
using Say = std::function<void(std::string)>;

constexpr std::string_view kCascadeCpp = "cascade-cpp, 10-kbit blocks, original and Yan's Cascade";
constexpr std::string_view kGf2x = "gf2x without and with PCLMULQDQ";

/// Of this thread: others may be using the machine.
double processor_seconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Slots a second of a link's simulation, in blocks of so many.
OrText<double> link_speed(crypto::Provider& provider, const link::LinkConfig& config, std::uint64_t blocks,
                          std::uint64_t slots) {
  const auto settings = [&](Side side) -> Result<Settings> {
    Seed seed;
    QSP_TRY(provider.rng().fill(seed.writable()));
    return Settings::create(provider, std::move(seed), weights(config.mode, side, config.p_z));
  };
  auto link = link::Link::create(provider, config, *link::no_eve());
  auto alice = settings(Side::Alice);
  auto bob = settings(Side::Bob);
  if (!link || !alice || !bob) return std::unexpected("the link cannot be set up");
  Clicks to_alice;
  Clicks to_bob;
  const double start = processor_seconds();
  for (std::uint64_t i = 0; i < blocks; ++i) {
    if (auto played = link->emit(*alice, *bob, slots, to_alice, to_bob); !played) {
      return std::unexpected(std::string(played.error().where));
    }
  }
  return static_cast<double>(blocks * slots) / (processor_seconds() - start);
}

/// 20 km of fibre between stations that see something in every fourth slot, and rest after it.
link::LinkConfig bright_link() {
  link::LinkConfig link{.mean_pairs = 0.5};
  link.alice = {.fibre_km = 10, .dark_counts_per_s = 500, .dead_time_ns = 20};
  link.bob = link.alice;
  return link;
}

OrText<void> measure_links(crypto::Provider& provider, const link::LinkConfig& built_in, std::vector<Figure>& figures) {
  struct Row {
    std::string what, name;
    std::string_view unit, anchor;
    link::LinkConfig link;
    std::uint64_t blocks, slots;
  };
  const link::LinkConfig ideal{.mode = Mode::Classic, .statistics = link::PairStatistics::Single, .mean_pairs = 1};
  for (const Row& row :
       {Row{"ideal pairs, all detected", "ideal_pairs", "M pairs/s", "goal 100", ideal, 100, 1'000'000},
        Row{"a bright link, slot by slot", "bright_slots", "M slots/s", "goal 20", bright_link(), 50, 1'000'000},
        Row{"the built-in link, from click to click", "link_slots", "M slots/s", "goal 20", built_in, 20,
            100'000'000}}) {
    QSP_TRY(const auto speed, link_speed(provider, row.link, row.blocks, row.slots));
    figures.push_back({row.what, row.name, speed / 1e6, row.unit, row.anchor, ""});
  }
  return {};
}

OrText<void> measure_cascade(crypto::Provider& provider, const BenchOptions& options, const Say& say,
                             std::vector<Figure>& figures) {
  struct Row {
    int percent;
    std::string_view anchor;
  };
  for (const auto& [percent, anchor] : {Row{1, "1.143, 1.095; goal 1.05"}, Row{2, "1.159, 1.084; goal 1.05"},
                                        Row{3, "1.174, 1.078; goal 1.05"}, Row{5, "1.185, 1.077; goal 1.05"}}) {
    say(fmt::format("Cascade at {} %", percent));
    const auto made = cascade::measure_cascade(provider, options.key_bits, percent / 100.0, options.blocks);
    if (!made) return std::unexpected(std::string(made.error().where));
    const std::string what = fmt::format("Cascade at {} %", percent);
    const std::string name = fmt::format("cascade_{}_percent_", percent);
    figures.push_back({what + ": f", name + "f", made->efficiency, "", anchor, kCascadeCpp});
    figures.push_back({what + ": rounds", name + "rounds", made->rounds, "", "goal 60", ""});
    const double failed = static_cast<double>(made->wrong_blocks + made->failed_blocks);
    figures.push_back({what + ": blocks that failed", name + "frame_errors", failed / static_cast<double>(made->blocks),
                       "of all", "", ""});
    figures.push_back({what + ": speed", name + "mbit_per_s", made->mbit_per_second, "Mbit/s",
                       percent == 3 ? "3–15; goal 60; Mao 2021: 570 (f = 1.038)" : "",
                       percent == 3 ? "cascade-cpp on one core" : ""});
  }
  return {};
}

void measure_hashing(std::vector<Figure>& figures) {
  const hashing::HashingFigures made = hashing::measure_hashing();
  figures.push_back({fmt::format("Toeplitz, 64 kbit ({})", made.arithmetic), "toeplitz_64kbit", made.toeplitz_64kbit,
                     "Mbit/s", "340–445 with PCLMULQDQ", "Karatsuba product alone"});
  figures.push_back(
      {"Toeplitz, 1 Mbit", "toeplitz_1mbit", made.toeplitz_1mbit, "Mbit/s", "10, 58–82; goal 100", kGf2x});
  figures.push_back({"verification hash", "verification", made.verification_1mbit, "Mbit/s", "", ""});
  figures.push_back({"tags", "tags", made.tag_64kbyte, "GB/s", "", ""});
}

/// Both ends' work for whole blocks, the simulation of the link included.
OrText<void> measure_blocks(crypto::Provider& provider, const BenchOptions& options, const Say& say,
                            std::vector<Figure>& figures) {
  local::LocalConfig config{.link = {.statistics = link::PairStatistics::Single, .mean_pairs = 1, .visibility = 0.96},
                            .post = {},
                            .block_bits = options.key_bits};
  auto link = local::LocalLink::create(provider, config, *link::no_eve());
  if (!link) return std::unexpected(std::string(link.error().where));
  double bits = 0;
  double key = 0;
  const double start = processor_seconds();
  for (std::size_t i = 0; i < options.blocks; ++i) {
    say("whole blocks");
    const auto outcome = (*link)->block();
    if (!outcome) return std::unexpected(std::string(outcome.error().where));
    if (!outcome->keys_equal) return std::unexpected("the keys of the two ends differ");
    bits += static_cast<double>(outcome->alice.key_bits);
    key += static_cast<double>(outcome->alice.length);
  }
  const double seconds = processor_seconds() - start;
  figures.push_back(
      {"pair to key at 2 %, both ends: sifted", "whole_sifted", bits / seconds / 1e6, "Mbit/s", "goal 10", ""});
  figures.push_back({"pair to key at 2 %, both ends: secret", "whole_secret", key / seconds / 1e6, "Mbit/s", "", ""});
  return {};
}

}  // namespace

files::OrText<std::vector<Figure>> measure(const BenchOptions& options, const Say& say) {
  // The same keys, errors and photons in each run, so that runs can be compared.
  QSP_TRY(auto random, Randomness::create("qsp e91 bench"));
  QSP_TRY(const auto setup, set_up({}));
  std::vector<Figure> figures;
  say("the link");
  QSP_TRY(measure_links(random.provider(), setup.link.config, figures));
  QSP_TRY(measure_cascade(random.provider(), options, say, figures));
  say("hashing");
  measure_hashing(figures);
  QSP_TRY(measure_blocks(random.provider(), options, say, figures));
  return figures;
}

boost::json::object json_of(const BenchOptions& options, const std::vector<Figure>& figures) {
  boost::json::array rows;
  for (const Figure& figure : figures) {
    rows.push_back(boost::json::object{{"name", figure.name},
                                       {"value", figure.value},
                                       {"unit", figure.unit},
                                       {"anchor", figure.anchor},
                                       {"source", figure.source}});
  }
  return {{"blocks", options.blocks}, {"key_bits", options.key_bits}, {"rows", std::move(rows)}};
}

std::string text_of(const BenchOptions& options, const std::vector<Figure>& figures) {
  text::Rows rows{{"", "here", "", "elsewhere", "source"}};
  for (const Figure& figure : figures) {
    rows.push_back({figure.what, fmt::format("{:.4g}", figure.value), std::string(figure.unit),
                    std::string(figure.anchor), std::string(figure.source)});
  }
  return fmt::format(
      "{}\none core, both ends' work, processor time\n"
      "{} blocks of {} bits for each rate of Cascade and for the last two rows\n",
      text::columns(rows), options.blocks, text::grouped(options.key_bits));
}

}  // namespace qsp::e91::study
