#include "net/descriptor_limit.hpp"

#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include "files/descriptor.hpp"

namespace qsp::net {

std::size_t descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<std::size_t>::max();
  }
  return limit.rlim_cur;
}

void raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  // Where it cannot be raised the old one stays, and is told when it is reached.
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

std::size_t room_for_connections(std::size_t each) noexcept {
  // For files of keys and pins, a few connections to KMEs, and one connection more that is only accepted to be refused.
  constexpr std::size_t kReserve = 24;
  // Descriptors are given out lowest first: the lowest free one is about as many as are open.
  const files::Descriptor lowest_free(::eventfd(0, EFD_CLOEXEC));
  const std::size_t open = lowest_free ? static_cast<std::size_t>(lowest_free.get()) : 8;
  const std::size_t limit = descriptor_limit();
  const std::size_t room = limit - std::min(limit, open + kReserve);
  return std::max<std::size_t>(room / std::max<std::size_t>(each, 1), 1);
}

}  // namespace qsp::net
