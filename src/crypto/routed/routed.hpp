#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "crypto/routed/routes.hpp"

namespace qsp::crypto {

/// A library's provider, as one part of a routed one.
struct Part {
  Library library;
  std::unique_ptr<Provider> provider;
};

/// One provider made of several: each algorithm is served by the part that `routes` names, or by the first other part
/// that has it. It can do whatever one of them can. Like any provider it belongs to one thread.
///
/// A private key is read by the part that serves most signatures, and by the others where that one cannot; the signer
/// is of the part that serves the key's algorithm wherever that part can read the key. The passphrase is asked for once
/// at most.
/// Precondition: there is a part; each has another library; problem_of(routes) is empty.
std::unique_ptr<Provider> make_routed_provider(std::vector<Part> parts, std::span<const Route> routes = kRoutes);

}  // namespace qsp::crypto
