#pragma once

#include <cstddef>

#include "qsp/crypto.hpp"

namespace qsp::e91::cascade {

/// What reconciling keys of one length and error rate took, both ends' work in one thread and all messages through
/// their wire form. Means are over the blocks.
struct CascadeFigures {
  std::size_t blocks;
  std::size_t wrong_blocks;   ///< ended with errors left: the verification would catch them
  std::size_t failed_blocks;  ///< given up
  double efficiency;          ///< disclosed bits over n·h(actual error rate)
  double rounds;
  std::size_t most_rounds;
  double question_bits;    ///< size of Bob's messages over n
  double mbit_per_second;  ///< of sifted key, by the processor time that the process spent on both ends
};

/// Reconciles `blocks` random keys of `key_size` bits with independent errors at rate `qber`, which is what Bob is told
/// too. Error: Provider. Preconditions: Cascade's for the key size, 0 <= qber <= 0.5, blocks > 0.
Result<CascadeFigures> measure_cascade(crypto::Provider& provider, std::size_t key_size, double qber,
                                       std::size_t blocks);

}  // namespace qsp::e91::cascade
