#include "cli/text.hpp"

#include <fmt/color.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>

#include "cli/output.hpp"

namespace qsp::cli {
namespace {

void print_line(std::string_view label, fmt::terminal_color colour, std::string_view text) {
  const fmt::text_style style = colour_on_stderr() ? fmt::fg(colour) | fmt::emphasis::bold : fmt::text_style();
  print_err("qsp: {} {}\n", fmt::format(style, "{}:", label), text);
}

}  // namespace

std::string escape(std::string_view text, bool lines) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '\\') {
      safe += "\\\\";
    } else if ((c >= ' ' && c <= '~') || (lines && c == '\n')) {
      safe += c;
    } else {
      fmt::format_to(std::back_inserter(safe), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return safe;
}

std::string grouped(std::uint64_t number) {
  std::string text;
  const std::string digits = std::to_string(number);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

bool colour_on_stderr() {
  // https://no-color.org: present and not empty. Nothing in this program changes the environment.
  const char* const no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  return ::isatty(STDERR_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

void print_error(std::string_view text) { print_line("error", fmt::terminal_color::red, text); }

void print_warning(std::string_view text) { print_line("warning", fmt::terminal_color::yellow, text); }

int failed(std::string_view text, int code) {
  print_error(text);
  return code;
}

}  // namespace qsp::cli
