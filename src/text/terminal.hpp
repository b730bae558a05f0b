#pragma once

/// What is known of where text will be read.
namespace qsp::text {

/// Whether the descriptor is a terminal.
[[nodiscard]] bool is_terminal(int fd) noexcept;

/// Whether what is written to the descriptor may be coloured: it is a terminal, and NO_COLOR is not set, or empty
/// (https://no-color.org).
[[nodiscard]] bool wants_colour(int fd) noexcept;

}  // namespace qsp::text
