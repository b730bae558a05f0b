// The reader of TOML files. First byte: how the root's fields are asked for; the rest: the file.

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "check.hpp"
#include "config/document.hpp"
#include "qsp/bytes.hpp"

namespace {

using namespace qsp;
using fuzz::check;

constexpr config::FileKind kKind{.most = 65'536, .page = "docs/x.md"};

/// "f:LINE:COLUMN: what", in one line that no terminal minds; or what is wrong with the file as a whole.
void check_error(const std::string& error, std::string_view text) {
  check(error.starts_with("f:"), "an error without the file's name");
  check(std::ranges::none_of(error, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }),
        "an error with a control character");
  const std::size_t end = error.find(':', 2);
  check(end != std::string::npos && end > 2, "an error without a line");
  const unsigned long line = std::stoul(error.substr(2, end - 2));
  const auto lines = static_cast<unsigned long>(std::ranges::count(text, '\n')) + 1;
  check(line >= 1 && line <= lines, "an error in a line that is not there");
}

/// Reads every field of `members` by a kind that its own value does not decide; but those whose names no program has.
void read_all(config::Table& table, const config::Members& members, unsigned kinds) {
  for (const config::Member& member : members) {
    if (!std::ranges::all_of(member.name, [](char c) { return c >= ' ' && c <= '~'; })) continue;
    std::string text;
    std::vector<std::string> texts;
    bool flag = false;
    std::uint16_t whole = 7;
    double number = 0.5;
    std::chrono::seconds time{1};
    switch (kinds++ % 9) {
      case 0:
        table.text(member.name, text, {.least = 0, .most = 10});
        check(text.size() <= 10, "a text beyond its bound");
        break;
      case 1:
        table.texts(member.name, texts, {.most = 2, .or_one = true});
        check(texts.size() <= 2, "texts beyond their bound");
        break;
      case 2:
        table.file(member.name, text);
        break;
      case 3:
        table.flag(member.name, flag);
        break;
      case 4:
        table.number(member.name, whole, 5, 300);
        check(whole >= 5 && whole <= 300, "a whole number beyond its bounds");
        break;
      case 5:
        table.number(member.name, number, 0, 1);
        check(number >= 0 && number <= 1, "a number beyond its bounds");
        break;
      case 6:
        table.time(member.name, time, std::chrono::seconds(1), std::chrono::hours(1));
        check(time >= std::chrono::seconds(1) && time <= std::chrono::hours(1), "a time beyond its bounds");
        break;
      case 7: {
        config::Table inner = table.table(member.name);
        if (const auto* const below = member.value.if_is<config::Members>()) read_all(inner, *below, kinds);
        static_cast<void>(inner.finish());
        break;
      }
      default:
        check(table.tables(member.name, 3, "a table").size() <= 3, "tables beyond their bound");
        break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = as_text(Bytes(data + 1, size - 1));
  if (text.size() > kKind.most) return 0;
  const auto document = config::Document::parse("f", text, kKind);
  if (!document) {
    check_error(document.error(), text);
    return 0;
  }
  config::Table untouched = document->root("a file");
  if (const auto finished = untouched.finish(); !finished) check_error(finished.error(), text);
  check(untouched.finish().has_value() == document->members().empty(), "a field that nobody asked for was let pass");
  config::Table table = document->root("a file");
  read_all(table, document->members(), data[0]);
  if (const auto finished = table.finish(); !finished) check_error(finished.error(), text);
  return 0;
}
