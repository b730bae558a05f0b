#pragma once

#include <string_view>

namespace qsp::crypto::awslc {

/// The library's own name and version, such as "AWS-LC 5.1.0".
[[nodiscard]] std::string_view library_version() noexcept;

}  // namespace qsp::crypto::awslc
