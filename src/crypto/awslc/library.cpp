#include "crypto/awslc/library.hpp"

#include <openssl/service_indicator.h>

#ifndef OPENSSL_IS_AWSLC
#error "these are the headers of another library"
#endif

namespace qsp::crypto::awslc {

std::string_view library_version() noexcept { return ::awslc_version_string(); }

}  // namespace qsp::crypto::awslc
