#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qsp::text {

/// The cells of a table, row by row; the head is a row like the others. Every row has as many cells as the first.
using Rows = std::vector<std::vector<std::string>>;

/// How a cell of the last column stands in its place.
enum class LastColumn : bool {
  Left,   ///< words: whatever their length, no blanks follow
  Right,  ///< figures, as in the columns before
};

/// Columns with two blanks between them. The first is words, on the left of its place; those that follow are figures,
/// on the right of theirs; the last is as `last` says. Every line ends in '\n'. No rows give an empty text.
[[nodiscard]] std::string columns(const Rows& rows, LastColumn last = LastColumn::Left);

/// How many places a text in UTF-8 takes, where each character takes one.
[[nodiscard]] std::size_t width(std::string_view text) noexcept;

}  // namespace qsp::text
