#pragma once

#include <fmt/format.h>

#include <string_view>

/// The one way to standard output and standard error. What goes to standard output is a result, which must arrive:
/// where it cannot be written, the program says so once and ends with 1. What goes to standard error is for
/// anybody who listens, and nothing depends on it.
namespace qsp::cli {

/// Writes to standard output. Once a write has failed, it and all later ones are dropped. Thread-safe.
void write_out(std::string_view text);
/// What was written is in the hands of the system, or the failure is known.
void flush_out();
/// Whether all that was handed over so far could be written.
[[nodiscard]] bool output_works();

template <class... Arguments>
void print_out(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  write_out(fmt::vformat(text, fmt::make_format_args(arguments...)));
}

/// The exit code of a program that would end with `code`: 1 where it would be 0 and its results could not be written.
/// Nothing is written to standard output after it.
[[nodiscard]] int finish_output(int code);

/// Writes to standard error; whether it can is nobody's concern.
void write_err(std::string_view text) noexcept;

template <class... Arguments>
void print_err(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  write_err(fmt::vformat(text, fmt::make_format_args(arguments...)));
}

}  // namespace qsp::cli
