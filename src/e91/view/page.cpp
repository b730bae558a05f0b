#include "e91/view/page.hpp"

#include <fmt/format.h>

#include <iterator>

#include "text/escape.hpp"

namespace qsp::e91::view {
namespace {

constexpr std::string_view kPageStyle =
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 "
    "1rem}"
    "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}"
    ".notice{border:2px solid #b8420f;border-radius:6px;padding:.6rem 1rem}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}"
    "th,td{border-bottom:1px solid #8886;padding:.25rem .7rem;text-align:right;white-space:nowrap}"
    "th:first-child,td:first-child,td:last-child,th:last-child,.text td{text-align:left}.text td{white-space:normal}"
    "svg{max-width:100%;height:auto;margin:1rem 0}";

using Out = std::back_insert_iterator<std::string>;

void write_row(Out out, const std::vector<std::string>& cells, std::string_view element) {
  fmt::format_to(out, "<tr>");
  for (const std::string& cell : cells) fmt::format_to(out, "<{0}>{1}</{0}>", element, text::xml_escape(cell));
  fmt::format_to(out, "</tr>\n");
}

void write_table(Out out, const Table& table) {
  fmt::format_to(out, "<div class=\"wide\"><table{}>\n", table.text ? " class=\"text\"" : "");
  if (!table.head.empty()) {
    fmt::format_to(out, "<thead>");
    write_row(out, table.head, "th");
    fmt::format_to(out, "</thead>\n");
  }
  fmt::format_to(out, "<tbody>\n");
  for (const auto& row : table.rows) write_row(out, row, "td");
  fmt::format_to(out, "</tbody></table></div>\n");
}

}  // namespace

std::string html(const Page& page) {
  std::string text;
  const Out out = std::back_inserter(text);
  fmt::format_to(
      out,
      "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>{0}</title>\n<style>{1}</style>\n"
      "</head>\n<body>\n<h1>{0}</h1>\n",
      text::xml_escape(page.title), kPageStyle);
  if (!page.notice.empty()) fmt::format_to(out, "<p class=\"notice\">{}</p>\n", text::xml_escape(page.notice));
  for (const Section& section : page.sections) {
    fmt::format_to(out, "<h2>{}</h2>\n", text::xml_escape(section.title));
    for (const std::string& paragraph : section.paragraphs)
      fmt::format_to(out, "<p>{}</p>\n", text::xml_escape(paragraph));
    for (const Table& table : section.tables) write_table(out, table);
    for (const Chart& chart : section.charts) text += svg(chart);
  }
  text += "</body>\n</html>\n";
  return text;
}

}  // namespace qsp::e91::view
