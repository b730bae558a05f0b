#pragma once

#include <cstdint>

namespace qsp::crypto {

/// A cryptographic library that the program can be built with, or each where it is best.
enum class Library : std::uint8_t { Auto, OpenSsl, AwsLc };

}  // namespace qsp::crypto
