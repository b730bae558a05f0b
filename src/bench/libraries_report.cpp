#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "bench/report.hpp"
#include "crypto/routed/provider.hpp"
#include "text/table.hpp"

namespace qsp::bench {
namespace {

double micro(const Pace& pace) { return 1e6 * pace.seconds; }

/// How often the second library's time goes into the first's.
std::optional<double> ratio(const OperationRow& row) {
  if (row.paces.size() != 2 || !row.paces[0] || !row.paces[1]) return std::nullopt;
  return row.paces[0]->seconds / row.paces[1]->seconds;
}

boost::json::object json_of(const LibrariesResult& result) {
  boost::json::array libraries;
  for (const MeasuredLibrary& library : result.libraries) {
    libraries.push_back({{"name", crypto::name(library.library)}, {"version", library.description}});
  }
  boost::json::array rows;
  for (const OperationRow& row : result.rows) {
    boost::json::object object{{"name", row.name}};
    for (std::size_t i = 0; i < row.paces.size(); ++i) {
      if (!row.paces[i]) continue;
      object[fmt::format("{}_us", crypto::name(result.libraries[i].library))] = micro(*row.paces[i]);
    }
    if (const auto times = ratio(row)) object["ratio"] = *times;
    object["preferred"] = crypto::name(row.preferred);
    const auto better = better_than_preferred(result, row);
    object["wrong"] = better.has_value();
    rows.push_back(std::move(object));
  }
  return {{"libraries", std::move(libraries)}, {"rows", std::move(rows)}};
}

std::string figure(double value) { return fmt::format("{:.{}f}", value, value < 10 ? 3 : 1); }

text::Rows table_of(const LibrariesResult& result) {
  const bool compared = result.libraries.size() > 1;
  text::Rows table{{"us each"}};
  for (const MeasuredLibrary& library : result.libraries) table.front().push_back(library.description);
  if (compared) table.front().push_back("ratio");
  table.front().emplace_back("preferred");
  for (const OperationRow& row : result.rows) {
    std::vector<std::string> cells{row.name};
    for (const auto& pace : row.paces) cells.push_back(pace ? figure(micro(*pace)) : "-");
    if (compared) {
      const auto times = ratio(row);
      cells.push_back(times ? fmt::format("{:.2f}", *times) : "-");
    }
    cells.emplace_back(crypto::name(row.preferred));
    if (better_than_preferred(result, row)) cells.back() += ": WRONG HERE";
    table.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

Report report(const LibrariesResult& result) {
  std::string text = text::columns(table_of(result));
  text += fmt::format(
      "\nthis thread's processor time; median of at most {} rounds in which the libraries of a row take turns\n",
      kRounds);
  if (result.libraries.size() < 2) return {.json = json_of(result), .text = std::move(text)};
  const auto wrong = std::ranges::count_if(
      result.rows, [&](const OperationRow& row) { return better_than_preferred(result, row).has_value(); });
  text += fmt::format(
      "ratio: how many times as long the first library takes; preferred: which one qsp takes (--provider auto)\n"
      "its choice is wrong here in {} of {} rows: the other library is faster by a tenth or more\n",
      wrong, result.rows.size());
  return {.json = json_of(result), .text = std::move(text)};
}

}  // namespace qsp::bench
