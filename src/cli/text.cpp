#include "cli/text.hpp"

#include <fmt/color.h>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/output.hpp"
#include "text/terminal.hpp"

namespace qsp::cli {
namespace {

void print_line(std::string_view label, fmt::terminal_color colour, std::string_view text) {
  const bool coloured = text::wants_colour(STDERR_FILENO);
  const fmt::text_style style = coloured ? fmt::fg(colour) | fmt::emphasis::bold : fmt::text_style();
  print_err("qsp: {} {}\n", fmt::format(style, "{}:", label), text);
}

}  // namespace

void print_error(std::string_view text) { print_line("error", fmt::terminal_color::red, text); }

void print_warning(std::string_view text) { print_line("warning", fmt::terminal_color::yellow, text); }

int failed(std::string_view text, int code) {
  print_error(text);
  return code;
}

}  // namespace qsp::cli
