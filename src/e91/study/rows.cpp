#include "e91/study/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::e91::study {
namespace {

using keyrate::Estimate;

constexpr std::string_view kNone = "–";

std::string share_text(double share, int digits = 2) { return fmt::format("{:.{}f} %", 100 * share, digits); }

std::string si(double value) {
  constexpr std::array<std::string_view, 5> kPrefixes{"", "k", "M", "G", "T"};
  std::size_t prefix = 0;
  while (std::abs(value) >= 1000 && prefix + 1 < kPrefixes.size()) value /= 1000, ++prefix;
  return fmt::format("{:.3g} {}", value, kPrefixes.at(prefix));
}

template <class Value, class Text>
std::string or_none(const std::optional<Value>& value, const Text& text) {
  return value ? text(*value) : std::string(kNone);
}

template <class Value>
boost::json::value or_null(const std::optional<Value>& value) {
  if (value) return *value;
  return nullptr;
}

boost::json::object arm_json(const link::ArmConfig& arm) {
  return {{"fibre_km", arm.fibre_km},
          {"loss_db_per_km", arm.loss_db_per_km},
          {"extra_loss_db", arm.extra_loss_db},
          {"detector_efficiency", arm.detector_efficiency},
          {"dark_counts_per_s", arm.dark_counts_per_s},
          {"dead_time_ns", arm.dead_time_ns}};
}

std::string arm_text(const link::ArmConfig& arm) {
  return fmt::format(
      "{:.1f} dB ({:g} km of {:g} dB/km, and {:g} dB), efficiency {:g}, {:g} dark counts/s, dead {:g} ns",
      arm.fibre_km * arm.loss_db_per_km + arm.extra_loss_db, arm.fibre_km, arm.loss_db_per_km, arm.extra_loss_db,
      arm.detector_efficiency, arm.dark_counts_per_s, arm.dead_time_ns);
}

void add_published(text::Rows& rows, const link::Published& published) {
  const auto add = [&](const char* name, const std::optional<double>& value, const char* form) {
    if (value) rows.push_back({fmt::format("published {}", name), fmt::format(fmt::runtime(form), *value)});
  };
  const std::optional<double> qber_percent = published.qber.transform([](double share) { return 100 * share; });
  add("QBER", qber_percent, "{:g} %");
  add("visibility", published.visibility, "{:g}");
  add("S", published.s, "{:g}");
  add("coincidences", published.raw_rate_per_s, "{:g}/s");
  add("sifted", published.sifted_rate_per_s, "{:g} bit/s");
  add("secret", published.key_rate_per_s, "{:g} bit/s");
}

}  // namespace

std::string rate_text(double per_second) {
  return per_second < 1000 ? fmt::format("{:.4g}", per_second)
                           : text::grouped(static_cast<std::uint64_t>(std::llround(per_second)));
}

std::string percent_text(const Estimate& share) {
  return fmt::format("{:.2f} ± {:.2f} %", 100 * share.value, 100 * share.deviation);
}

std::string estimate_text(const Estimate& value) {
  return fmt::format("{:.3f} ± {:.3f}", value.value, value.deviation);
}

text::Rows block_rows(Mode mode, const std::vector<BlockResult>& blocks) {
  text::Rows rows{
      {"block", "sifted n", "QBER", "S", "e_phase", "leak", "f", "rounds", "key ℓ", "ℓ/n", "bit/s", "verdict"}};
  for (const BlockResult& block : blocks) {
    const post::BlockReport& report = block.report;
    const auto if_reconciled = [&](const std::string& text) { return block.reconciled() ? text : std::string(kNone); };
    const double n = std::max<double>(1, static_cast<double>(report.key_bits));
    rows.push_back({std::to_string(report.block), text::grouped(report.key_bits), or_none(block.qber(), percent_text),
                    or_none(report.tests.chsh, estimate_text),
                    or_none(phase_error_of(mode, report), [](double share) { return share_text(share); }),
                    if_reconciled(text::grouped(report.disclosed)),
                    or_none(block.efficiency(), [](double f) { return fmt::format("{:.3f}", f); }),
                    if_reconciled(std::to_string(report.batches)), text::grouped(report.length),
                    fmt::format("{:.3f}", static_cast<double>(report.length) / n),
                    rate_text(static_cast<double>(report.length) / block.seconds), block.verdict()});
  }
  return rows;
}

text::Rows total_rows(const Setup& setup, const Total& total) {
  const auto per_s = [&](std::uint64_t count) {
    return fmt::format("{}  ({}/s)", text::grouped(count),
                       si(static_cast<double>(count) / std::max(1e-300, total.seconds)));
  };
  const double pairs = static_cast<double>(total.slots) * setup.link.config.mean_pairs;
  const bool biased = setup.link.config.mode == Mode::Biased;
  text::Rows rows{
      {"blocks", fmt::format("{}, {} with a key", total.blocks, total.with_key)},
      {"simulated time", fmt::format("{:.4g} s", total.seconds)},
      {"slots", per_s(total.slots)},
      {"pairs (mean)", per_s(static_cast<std::uint64_t>(pairs))},
      {"clicks of Alice", per_s(total.alice_clicks)},
      {"clicks of Bob", per_s(total.bob_clicks)},
      {"coincidences", per_s(total.coincidences)},
      {"sifted n", per_s(total.key_bits)},
      {"QBER", or_none(total.qber(), percent_text)},
      {"S", or_none(total.s(), estimate_text)},
      {"leak", fmt::format("{} bits", text::grouped(total.disclosed))},
      {"f", or_none(total.efficiency(), [](double f) { return fmt::format("{:.3f}", f); })},
      {"rounds per block", total.reconciled == 0 ? std::string(kNone)
                                                 : fmt::format("{:.1f}", static_cast<double>(total.batches) /
                                                                             static_cast<double>(total.reconciled))},
      {"secret bits ℓ",
       fmt::format("{}{}", text::grouped(total.length), biased ? "" : "  (asymptotic, no proof for finite blocks)")},
      {"secret fraction ℓ/n", fmt::format("{:.4f}", total.secret_fraction())},
      {"secret key rate", fmt::format("{} bit/s of simulated time", rate_text(total.rate_per_s()))},
      {"keys of 256 bits", total.keys == 0 ? "none"
                                           : fmt::format("{} at each end, {}", text::grouped(total.keys),
                                                         total.keys_equal ? "all equal" : "NOT ALL EQUAL")},
  };
  if (biased) {
    const auto rate = keyrate::error_rate(total.phase);
    rows.insert(rows.begin() + 10, {"e_phase", or_none(rate, percent_text)});
    rows.push_back({"ε of all keys", fmt::format("{:g}: {} blocks of ε_sec + ε_cor", total.epsilon(), total.with_key)});
  }
  add_published(rows, setup.link.published);
  return rows;
}

text::Rows link_rows(const Setup& setup) {
  const link::LinkConfig& link = setup.link.config;
  text::Rows rows{
      {"link", setup.link.title},
      {"mode", link.mode == Mode::Biased ? fmt::format("biased, p_z = {:g}{}", link.p_z,
                                                       setup.p_z_is_chosen ? " (chosen for this block)" : "")
                                         : std::string("classic, three angles each")},
      {"source", fmt::format("{}, {:g} slots/s, {:g} pairs per slot, visibility {:g}",
                             link.statistics == link::PairStatistics::Spdc ? "down-conversion" : "single pairs",
                             link.slots_per_s, link.mean_pairs, link.visibility)},
      {"errors of alignment", fmt::format("{:g} of the pulses exchanged, analysers {:g} rad apart",
                                          link.intrinsic_error, link.misalignment_rad)},
      {"to Alice", arm_text(link.alice)},
      {"to Bob", arm_text(link.bob)},
      {"Eve", setup.eve->name()},
      {"block", fmt::format("{} sifted bits", text::grouped(setup.block_bits))},
  };
  if (!setup.link.reference.empty()) rows.insert(rows.begin() + 1, {"after", setup.link.reference});
  return rows;
}

boost::json::value estimate_json(const std::optional<Estimate>& estimate) {
  if (!estimate) return nullptr;
  return boost::json::object{{"value", estimate->value}, {"deviation", estimate->deviation}};
}

boost::json::object block_json(Mode mode, const BlockResult& block) {
  const post::BlockReport& report = block.report;
  return {{"block", report.block},
          {"slots", report.slots},
          {"seconds", block.seconds},
          {"alice_clicks", block.alice_clicks},
          {"bob_clicks", report.clicks},
          {"coincidences", report.shared},
          {"sifted_bits", report.key_bits},
          {"test_bits", report.test_bits},
          {"qber", estimate_json(block.qber())},
          {"s", estimate_json(report.tests.chsh)},
          {"phase_error", or_null(phase_error_of(mode, report))},
          {"disclosed_bits", report.disclosed},
          {"efficiency", or_null(block.efficiency())},
          {"rounds", report.batches},
          {"key_bits", report.length},
          {"keys", block.keys},
          {"keys_equal", block.keys_equal},
          {"verdict", block.verdict()}};
}

boost::json::object total_json(const Total& total) {
  return {{"blocks", total.blocks},
          {"blocks_with_key", total.with_key},
          {"seconds", total.seconds},
          {"slots", total.slots},
          {"alice_clicks", total.alice_clicks},
          {"bob_clicks", total.bob_clicks},
          {"coincidences", total.coincidences},
          {"sifted_bits", total.key_bits},
          {"qber", estimate_json(total.qber())},
          {"s", estimate_json(total.s())},
          {"disclosed_bits", total.disclosed},
          {"efficiency", or_null(total.efficiency())},
          {"key_bits", total.length},
          {"epsilon_total", total.epsilon()},
          {"secret_fraction", total.secret_fraction()},
          {"secret_bits_per_s", total.rate_per_s()},
          {"keys", total.keys},
          {"keys_equal", total.keys_equal}};
}

boost::json::object setup_json(const Setup& setup) {
  const link::LinkConfig& link = setup.link.config;
  return {{"title", setup.link.title},
          {"mode", link.mode == Mode::Biased ? "biased" : "classic"},
          {"p_z", link.p_z},
          {"statistics", link.statistics == link::PairStatistics::Spdc ? "spdc" : "single"},
          {"slots_per_s", link.slots_per_s},
          {"mean_pairs", link.mean_pairs},
          {"visibility", link.visibility},
          {"intrinsic_error", link.intrinsic_error},
          {"misalignment_rad", link.misalignment_rad},
          {"alice", arm_json(link.alice)},
          {"bob", arm_json(link.bob)},
          {"eve", setup.eve->name()},
          {"block_bits", setup.block_bits}};
}

}  // namespace qsp::e91::study
