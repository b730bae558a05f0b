#include "e91/study/report.hpp"

#include <array>
#include <utility>

#include "e91/view/page.hpp"
#include "text/table.hpp"

namespace qsp::e91::study {
namespace {

constexpr std::array kLimits{
    "The link is simulated: there is no quantum security in these keys. They are as secret as the random numbers they "
    "came from and the process that held them. What is real is the post-processing.",
    "The stations trust their own devices. An attacker who blinds detectors (arXiv:1106.2754; --eve blinding) shows a "
    "perfect S and no error, and knows every bit.",
    "A secret length in biased mode follows the finite-key bound of Tomamichel and Leverrier (2017) for "
    "Alice's disclosed parities, with the error rate that was seen in place of a threshold fixed beforehand. In "
    "classic "
    "mode it is asymptotic. Both count the parities of Alice; that this covers two-way Cascade is subject to the "
    "caveat "
    "of Tupkary and Lütkenhaus (2023).",
};

}  // namespace

std::string simulated_notice(bool seeded) {
  return seeded ? "SIMULATED, and repeatable from its seed: these keys are no secrets."
                : "SIMULATED: these keys are as secret as this process. No quantum security.";
}

std::string report_page(const RunReport& report, bool seeded) {
  view::Page page;
  page.title = "E91: " + report.setup.link.title;
  page.notice = simulated_notice(seeded);
  page.sections.push_back({.title = "Link",
                           .paragraphs = {"Made by: " + report.command},
                           .tables = {{.head = {}, .rows = link_rows(report.setup), .text = true}},
                           .charts = {}});
  page.sections.push_back({.title = "Result",
                           .paragraphs = {},
                           .tables = {{.head = {}, .rows = total_rows(report.setup, report.total), .text = true}},
                           .charts = {}});
  page.sections.push_back({.title = "Plots",
                           .paragraphs = {"Lines are theory for this link. Dots were simulated, with error bars of one "
                                          "standard deviation."},
                           .tables = {},
                           .charts = report.charts});
  text::Rows rows = block_rows(report.setup.link.config.mode, report.blocks);
  view::Table table{.head = std::move(rows.front()), .rows = {}, .text = false};
  rows.erase(rows.begin());
  table.rows = std::move(rows);
  page.sections.push_back({.title = "Blocks", .paragraphs = {}, .tables = {std::move(table)}, .charts = {}});
  page.sections.push_back({.title = "Limits",
                           .paragraphs = std::vector<std::string>(kLimits.begin(), kLimits.end()),
                           .tables = {},
                           .charts = {}});
  return view::html(page);
}

}  // namespace qsp::e91::study
