#pragma once

#include <cstdint>
#include <memory>

#include "qsp/crypto.hpp"

/// A provider for tests and fuzzing only: fast, deterministic, with the sizes of the real algorithms and no security.
/// Altered input is still noticed (tags and signatures are keyed 64-bit mixes), so every negative path can be reached.
namespace qsp::test {

/// `seed` starts the deterministic random generator; two providers of one seed yield the same bytes.
std::unique_ptr<crypto::Provider> make_fake_provider(std::uint64_t seed = 1);
/// One that has these algorithms and lacks the others.
std::unique_ptr<crypto::Provider> make_fake_provider(std::uint64_t seed, crypto::Capabilities capabilities);

}  // namespace qsp::test
