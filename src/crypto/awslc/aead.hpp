#pragma once

#include <memory>

#include "qsp/crypto.hpp"

namespace qsp::crypto::awslc {

/// An AEAD without a key yet.
std::unique_ptr<Aead> make_aead(AeadId id);

}  // namespace qsp::crypto::awslc
