#include "cli/session/node_log.hpp"

#include <spdlog/spdlog.h>

namespace qsp::cli {
namespace {

spdlog::level::level_enum level_of(node::Level level) noexcept {
  switch (level) {
    case node::Level::Debug:
      return spdlog::level::debug;
    case node::Level::Info:
      return spdlog::level::info;
    case node::Level::Warning:
      return spdlog::level::warn;
    case node::Level::Error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void write_log(node::Level level, const std::string& line) { spdlog::log(level_of(level), "{}", line); }

}  // namespace qsp::cli
