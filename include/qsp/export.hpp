#pragma once

/// Marks what a shared library of QSP offers to other programs. Everything else is hidden in it (docs/embedding.md).
#define QSP_EXPORT __attribute__((visibility("default")))
/// Marks a part of an exported class that stays inside.
#define QSP_HIDDEN __attribute__((visibility("hidden")))
