#pragma once

#include <cstdint>
#include <string>

namespace qsp::cli {

class Command;
struct Context;

struct PadCreateOptions {
  std::uint64_t keys = 0;  ///< for both ends together
  std::string link;        ///< a name for people
  std::string file_a;
  std::string file_b;
};

struct PadStatusOptions {
  std::string file;
};

/// Makes both copies of a pad. Returns the exit code.
int run_pad_create(const PadCreateOptions& options, bool json);

/// Prints what is left in a pad. Returns the exit code.
int run_pad_status(const PadStatusOptions& options, bool json);

void add_pad(Command& app, Context& context);

}  // namespace qsp::cli
