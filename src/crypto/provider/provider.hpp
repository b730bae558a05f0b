#pragma once

#include <memory>
#include <string>

#include "qsp/crypto.hpp"
#include "qsp/error.hpp"

namespace qsp::crypto {

/// The provider that this program uses. Nothing else in it makes one. A provider belongs to one thread: make one for
/// each thread, and hand it on within the thread. Error: one line for a person that says what to do.
Result<std::unique_ptr<Provider>, std::string> make_provider();

}  // namespace qsp::crypto
