#pragma once

#include <expected>
#include <utility>

/// The one macro of this code: a call whose error the caller hands on as it is.
///
///     QSP_TRY(check(size));                      // returns check's error, if there is one
///     QSP_TRY(const auto key, load_key(path));   // the same; otherwise `key` is the value
///
/// The second form declares a variable and so needs a statement of its own. It moves the value out of the result: no
/// copy is made, and what moves must be movable.
#define QSP_TRY(...) QSP_TRY_CHOOSE(__VA_ARGS__, QSP_TRY_VALUE, QSP_TRY_VOID)(__VA_ARGS__)

// The argument count chooses: whichever of the two names has come to stand third.
#define QSP_TRY_CHOOSE(first, second, chosen, ...) chosen
#define QSP_TRY_JOIN(name, line) name##line
#define QSP_TRY_NAME(name, line) QSP_TRY_JOIN(name, line)

#define QSP_TRY_VOID(call) \
  if (auto qsp_tried = (call); !qsp_tried) return std::unexpected(std::move(qsp_tried).error())

// NOLINTBEGIN(bugprone-macro-parentheses): a declaration has none.
#define QSP_TRY_VALUE(declaration, call) QSP_TRY_VALUE_OF(QSP_TRY_NAME(qsp_tried_, __LINE__), declaration, call)
#define QSP_TRY_VALUE_OF(result, declaration, call)               \
  auto result = (call);                                           \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)
