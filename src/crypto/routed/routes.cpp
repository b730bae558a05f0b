#include "crypto/routed/routes.hpp"

#include <algorithm>

#include "base/overloaded.hpp"

namespace qsp::crypto {
namespace {

std::string_view name_of(Primitive primitive) noexcept {
  switch (primitive) {
    case Primitive::Hkdf:
      return "HKDF";
    case Primitive::Random:
      return "random";
    case Primitive::Keystream:
      return "keystream";
  }
  return {};
}

}  // namespace

bool can(const Provider& provider, const Algorithm& algorithm) noexcept {
  const Capabilities& has = provider.capabilities();
  return std::visit(
      Overloaded{[&has](Primitive primitive) { return primitive != Primitive::Keystream || has.keystream; },
                 [&has](auto id) { return has.has(id); }},
      algorithm);
}

Library preferred(const Algorithm& algorithm, std::size_t size) noexcept {
  const Route& route = *std::ranges::find(kRoutes, algorithm, &Route::algorithm);
  return route.above && size > route.above->size ? route.above->library : route.library;
}

std::string_view name(const Algorithm& algorithm) noexcept {
  return std::visit(
      Overloaded{[](Primitive primitive) { return name_of(primitive); }, [](auto id) { return info(id).name; }},
      algorithm);
}

}  // namespace qsp::crypto
