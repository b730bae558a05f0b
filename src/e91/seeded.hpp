#pragma once

#include <memory>

#include "e91/random.hpp"
#include "qsp/crypto.hpp"

namespace qsp::e91 {

/// A provider that is `inner` except for its random numbers, which all follow from a seed: a run can be repeated bit
/// for bit, and nothing that it yields is secret. `inner` outlives it. Error: Provider.
Result<std::unique_ptr<crypto::Provider>> make_seeded_provider(crypto::Provider& inner, Seed&& seed);

}  // namespace qsp::e91
