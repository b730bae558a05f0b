#include "cli/e91.hpp"

#include <CLI/CLI.hpp>

#include "cli/e91_processes.hpp"

namespace qsp::cli {

void add_e91(CLI::App& app, Context& context) {
  CLI::App* const e91 = app.add_subcommand("e91", "a simulated link of entangled photons, and real post-processing");
  e91->require_subcommand(1);
  add_e91_processes(*e91, context);
}

}  // namespace qsp::cli
