#pragma once

#include <expected>
#include <string>
#include <utility>

#include "cli/app.hpp"
#include "node/refused.hpp"

namespace qsp::cli {

/// Why a verb cannot do what it is told: one line, and the exit code.
struct Refused {
  int code;
  std::string text;
};

inline std::unexpected<Refused> refuse(std::string text) { return std::unexpected(Refused{kFailed, std::move(text)}); }
inline std::unexpected<Refused> refuse_usage(std::string text) {
  return std::unexpected(Refused{kUsage, std::move(text)});
}

inline int exit_code(node::Refused::Why why) noexcept { return why == node::Refused::Why::Config ? kUsage : kFailed; }
inline std::unexpected<Refused> refuse(node::Refused refused) {
  return std::unexpected(Refused{exit_code(refused.why), std::move(refused.text)});
}

}  // namespace qsp::cli
