#pragma once

namespace qsp::e91::keyrate {

/// The binary logarithm, made of operations that IEEE 754 rounds exactly, so that every machine has the same bits: a
/// mathematics library's may differ by its version and by the processor. Within 1e-15, relatively near 1.
/// Precondition: x > 0 and finite.
[[nodiscard]] double log2_of(double x) noexcept;

/// h(p) = −p log2 p − (1 − p) log2 (1 − p), and 0 outside (0, 1); not a number of what is none. As reproducible as
/// `log2_of`.
[[nodiscard]] double binary_entropy(double p) noexcept;

}  // namespace qsp::e91::keyrate
