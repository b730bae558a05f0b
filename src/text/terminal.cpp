#include "text/terminal.hpp"

#include <unistd.h>

#include <cstdlib>

namespace qsp::text {

bool is_terminal(int fd) noexcept { return ::isatty(fd) == 1; }

bool wants_colour(int fd) noexcept {
  // Nothing in this program changes the environment.
  const char* const no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  return is_terminal(fd) && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace qsp::text
