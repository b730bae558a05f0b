#include "qsp/version.hpp"

namespace qsp {

std::string_view version() noexcept { return kVersion; }

int version_number() noexcept { return QSP_VERSION_NUMBER; }

}  // namespace qsp
