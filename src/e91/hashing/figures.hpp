#pragma once

#include <string_view>

namespace qsp::e91::hashing {

/// What hashing costs on this processor, on one core in the processor time of the calling thread. Medians of some
/// turns.
struct HashingFigures {
  std::string_view arithmetic;    ///< the form of carry-less multiplication in use
  double toeplitz_64kbit = 0;     ///< Mbit/s of input, 65,536 bits to 0.4 of it
  double toeplitz_1mbit = 0;      ///< Mbit/s of input, 1,048,576 bits to 0.4 of it
  double verification_1mbit = 0;  ///< Mbit/s of key
  double tag_64kbyte = 0;         ///< GB/s of transcript, in messages of 64 KiB
};

/// Measures them, in about a second.
HashingFigures measure_hashing();

}  // namespace qsp::e91::hashing
