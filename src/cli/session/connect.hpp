#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/app.hpp"
#include "cli/session/options.hpp"

namespace qsp::cli {

/// What `qsp connect` is told.
struct ConnectOptions {
  std::string target;
  SessionOptions session;
  bool check_echo = false;
  std::string send;
  std::string output;
  std::string account;
  std::size_t window = std::size_t{4} * 1024 * 1024;
  std::optional<std::uint64_t> rekey_after;
  double retry_for = 30;  ///< seconds
};

/// Checks them, dials until there is a session or no sense in another dial, and returns the exit code.
int run_connect(const ConnectOptions& options, const Context& context);

}  // namespace qsp::cli
