#include "e91/study/compare_report.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <string_view>
#include <utility>

#include "e91/study/rows.hpp"
#include "text/table.hpp"

namespace qsp::e91::study {
namespace {

std::string text_of(const Comparison& figure, double value) {
  return figure.is_rate ? fmt::format("{:.3g}/s", value) : fmt::format("{:.2f} %", 100 * value);
}

std::string apart_text(const Comparison& figure) {
  if (!figure.simulated) return "–";
  return fmt::format("{:+.{}f} {}", 100 * figure.apart(), figure.is_rate ? 1 : 2, figure.is_rate ? "%" : "pp");
}

std::string simulated_text(const Comparison& figure) {
  if (!figure.simulated) return "–";
  if (!figure.is_rate) return percent_text(*figure.simulated);
  return fmt::format("{:.4g} ± {:.1g}/s", figure.simulated->value, figure.simulated->deviation);
}

std::string_view verdict(const Comparisons& all, const Comparison& figure) {
  if (!figure.simulated) return "theory only";
  if (!all.is_simulated(figure)) return "NO: the simulation is not what theory expects";
  return figure.is_published() ? "yes" : "NO";
}

text::Rows rows_of(const Comparisons& all) {
  text::Rows rows{{"link", "figure", "published", "theory", "apart", "simulated", "fits"}};
  for (const Compared& one : all.links) {
    std::string_view title = one.link.title;
    for (const Comparison& figure : one.figures) {
      rows.push_back({std::string(std::exchange(title, "")), std::string(figure.what),
                      text_of(figure, figure.published), text_of(figure, figure.theory), apart_text(figure),
                      simulated_text(figure), std::string(verdict(all, figure))});
    }
  }
  return rows;
}

boost::json::object json_of(const Comparisons& all, const Compared& one) {
  boost::json::array figures;
  for (const Comparison& figure : one.figures) {
    boost::json::object row{{"figure", figure.what},   {"published", figure.published},
                            {"theory", figure.theory}, {"apart", nullptr},
                            {"simulated", nullptr},    {"chance", nullptr},
                            {"fits", nullptr},         {"unit", figure.is_rate ? "1/s" : "share"}};
    if (figure.simulated) {
      row["simulated"] =
          boost::json::object{{"value", figure.simulated->value}, {"deviation", figure.simulated->deviation}};
      row["apart"] = figure.apart();
      row["chance"] = figure.chance;
      row["fits"] = all.fits(figure);
    }
    figures.push_back(std::move(row));
  }
  return {{"title", one.link.title},
          {"reference", one.link.reference},
          {"seconds", one.seen.seconds},
          {"coincidences", one.seen.coincidences()},
          {"figures", std::move(figures)}};
}

}  // namespace

std::string text_of(const Comparisons& all) {
  std::string text = fmt::format("{}\n", text::columns(rows_of(all)));
  for (const Compared& one : all.links) text += fmt::format("{}: {}\n", one.link.title, one.link.reference);
  text += fmt::format(
      "\nfits: theory's QBER is within {:g} percentage points of what was published and its rates within {:g} %, and\n"
      "the counts are no further from theory than chance brings them: by chance alone one run in {:g} is refused.\n"
      "SIMULATED; each file says which of its numbers were published, which chosen and which fitted.\n",
      100 * kMostQberApart, 100 * kMostRateApart, 1 / kFalseAlarm);
  return text;
}

boost::json::object json_of(const Comparisons& all, std::string_view seed) {
  boost::json::array links;
  for (const Compared& one : all.links) links.push_back(json_of(all, one));
  return {{"simulated", true},
          {"seed", seed},
          {"fits", all.fit()},
          {"false_alarm", kFalseAlarm},
          {"links", std::move(links)}};
}

}  // namespace qsp::e91::study
