#pragma once

#include "qsp/endpoint.hpp"

namespace qsp {

/// The end that an end talks to.
constexpr Role other(Role role) noexcept { return role == Role::Client ? Role::Server : Role::Client; }

}  // namespace qsp
