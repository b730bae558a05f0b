#pragma once

#include "base/split_mix.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto {

/// Random bytes that all follow from a seed, so that a run repeats; whatever they yield is no secret.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(SplitMix64 numbers) noexcept : numbers_(numbers) {}

  Result<void> fill(MutableBytes out) override {
    numbers_.fill(out);
    return {};
  }

 private:
  SplitMix64 numbers_;
};

}  // namespace qsp::crypto
