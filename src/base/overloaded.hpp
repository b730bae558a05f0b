#pragma once

namespace qsp {

/// One visitor out of a function for each alternative of a variant.
template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace qsp
