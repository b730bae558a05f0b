#pragma once

#include <memory>
#include <string>
#include <vector>

#include "qsp/crypto.hpp"

namespace qsp::identity::test {

/// Runs OpenSSL's program, of the library that this build links, with these arguments; true if it succeeded.
bool openssl(const std::vector<std::string>& arguments);

/// The provider of this test program.
crypto::Provider& provider();

}  // namespace qsp::identity::test
