#pragma once

#include <functional>
#include <string>

namespace qsp::cli {

class Command;

/// What the program's exit code says.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

/// What every verb has in common. Lives as long as the program.
struct Context {
  bool json = false;            ///< results on stdout are JSON
  std::string options_file;     ///< that was read; empty: none
  std::function<int()> action;  ///< what the chosen verb does; returns the exit code
};

/// Runs the program `qsp`.
int run(int argc, char** argv) noexcept;

// Each adds its verb to `app` and sets Context::action where the verb is chosen.
void add_serve(Command& app, Context& context);
void add_connect(Command& app, Context& context);
void add_bench(Command& app, Context& context);
void add_fuzz(Command& app, Context& context);
void add_vectors(Command& app, Context& context);
void add_version(Command& app, Context& context);

}  // namespace qsp::cli
