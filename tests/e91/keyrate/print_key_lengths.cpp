// Prints a grid of key lengths for check_key_length.py: n, k, δ, leak, t, ε_sec and ℓ on each line.
#include <cmath>
#include <cstdio>
#include <initializer_list>

#include "e91/keyrate/entropy.hpp"
#include "e91/keyrate/key_length.hpp"

int main() {
  using qsp::e91::keyrate::Block;
  for (const double n : {3'000.0, 12'345.0, 100'000.0, 1'048'576.0, 30'000'000.0}) {
    for (const double share : {0.02, 0.1, 1.0}) {
      for (const double rate : {0.0, 0.005, 0.03, 0.07}) {
        for (const double secrecy : {1e-10, 1e-20}) {
          const Block block{.key_bits = static_cast<std::uint64_t>(n),
                            .test_bits = static_cast<std::uint64_t>(std::ceil(share * n)),
                            .test_error_rate = rate,
                            .disclosed = static_cast<std::uint64_t>(1.1 * n * qsp::e91::keyrate::binary_entropy(rate)),
                            .verification = 64,
                            .secrecy = secrecy};
          std::printf("%llu %llu %a %llu %llu %a %llu\n", static_cast<unsigned long long>(block.key_bits),
                      static_cast<unsigned long long>(block.test_bits), block.test_error_rate,
                      static_cast<unsigned long long>(block.disclosed),
                      static_cast<unsigned long long>(block.verification), block.secrecy,
                      static_cast<unsigned long long>(qsp::e91::keyrate::key_length(block).bits));
        }
      }
    }
  }
}
