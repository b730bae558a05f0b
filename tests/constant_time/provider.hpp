#pragma once

#include <memory>

#include "qsp/crypto.hpp"

namespace qsp::test {

/// The fake provider, with secrets marked as what they are: random bytes, shared secrets of a KEM, and by that all that
/// is derived from them. What a real library would put on the wire is public. The fake's arithmetic neither branches on
/// data nor looks anything up, so what memcheck reports is QSP's own.
std::unique_ptr<crypto::Provider> make_secret_provider(std::uint64_t seed);

}  // namespace qsp::test
