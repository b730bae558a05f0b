#pragma once

#include <memory>

namespace qsp {

template <auto Free>
struct Deleter {
  template <class Handle>
  void operator()(Handle* handle) const noexcept {
    Free(handle);
  }
};

/// An object of a C library, with the one function that frees it; null where it could not be made.
template <class Handle, auto Free>
using Owned = std::unique_ptr<Handle, Deleter<Free>>;

}  // namespace qsp
