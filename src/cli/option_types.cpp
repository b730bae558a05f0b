#include "cli/option_types.hpp"

#include <fmt/format.h>

#include "cli/command.hpp"
#include "text/units.hpp"

namespace qsp::cli {

using std::chrono::nanoseconds;

Check is_time(nanoseconds least, nanoseconds most, nanoseconds unit) {
  const auto read = [=](std::string& text) -> std::string {
    const auto time = text::parse_time(text, unit);
    if (!time && time.error() == text::parse_time("").error())
      return fmt::format("{}, not {}", time.error(), as_given(text));
    if (!time || *time < least || *time > most) {  // it may also be beyond all times
      return fmt::format("takes a time from {} to {}, not {}", text::time_text(least), text::time_text(most),
                         as_given(text));
    }
    text = *time % unit == nanoseconds(0)
               ? std::to_string(*time / unit)
               : fmt::format("{}", static_cast<double>(time->count()) / static_cast<double>(unit.count()));
    return {};
  };
  return Check::rewriting(read, "TIME");
}

nanoseconds from_seconds(double seconds) {
  return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(seconds));
}

Check is_size(std::uint64_t least, std::uint64_t most) {
  const auto read = [=](std::string& text) -> std::string {
    const auto size = text::parse_size(text);
    if (!size && size.error() == text::parse_size("").error())
      return fmt::format("{}, not {}", size.error(), as_given(text));
    if (!size || *size < least || *size > most) {
      return fmt::format("takes a size from {} to {}, not {}", text::size_text(least), text::size_text(most),
                         as_given(text));
    }
    text = std::to_string(*size);
    return {};
  };
  return Check::rewriting(read, "SIZE");
}

void set_help(Command& verb, const Help& help) {
  std::string footer = help.notes;
  if (!footer.empty()) footer += "\n\n";
  footer += "Examples:\n";
  for (const std::string& example : help.examples) footer.append("  ").append(example) += '\n';
  footer += fmt::format(
      "\nExit codes:\n  0  {}\n  1  {}; also where the result cannot be written\n  2  wrong usage\n\n"
      "Every verb takes --json, --log-level LEVEL, --options FILE and --provider LIBRARY (see: qsp --help).",
      help.done, help.failed);
  verb.footer(footer);
}

}  // namespace qsp::cli
