#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cli/app.hpp"
#include "cli/command.hpp"

/// What the options of all verbs have in common: how times and sizes are written, and how help ends.
namespace qsp::cli {

/// For Option::check. Takes what parse_time takes, a plain number in units of `unit`, within these bounds; the
/// option's variable gets the number of units.
Check is_time(std::chrono::nanoseconds least, std::chrono::nanoseconds most,
              std::chrono::nanoseconds unit = std::chrono::seconds(1));
/// What such an option took, where its unit is a second.
std::chrono::nanoseconds from_seconds(double seconds);
/// The same for parse_size and bytes.
Check is_size(std::uint64_t least, std::uint64_t most);

/// What help says below the options.
struct Help {
  std::string notes = {};  ///< may be empty
  std::vector<std::string> examples;
  std::string_view done = "done";                                           ///< exit code 0
  std::string_view failed = "failed: one line on standard error says why";  ///< exit code 1
};
void set_help(Command& verb, const Help& help);

/// Options that live as long as their verb, and what it does with them: run(options, json), or run(options, context),
/// returns the exit code.
template <class Options, class Run>
std::shared_ptr<Options> options_of(Command& verb, Context& context, Run run) {
  auto options = std::make_shared<Options>();
  verb.callback([options, run, &context] {
    context.action = [options, run, &context] {
      if constexpr (std::is_invocable_v<Run, const Options&, bool>) {
        return run(*options, context.json);
      } else {
        return run(*options, std::as_const(context));
      }
    };
  });
  return options;
}

}  // namespace qsp::cli
