#include "cli/e91/e91.hpp"

#include "cli/command.hpp"
#include "cli/e91/processes.hpp"
#include "cli/option_types.hpp"

namespace qsp::cli {

void add_e91(Command& app, Context& context) {
  Command* const e91 = app.add_subcommand("e91", "a simulated link of entangled photons, and real post-processing");
  e91->require_subcommand(1);
  add_e91_run(*e91, context);
  add_e91_sweep(*e91, context);
  add_e91_compare(*e91, context);
  add_e91_audit(*e91, context);
  add_e91_bench(*e91, context);
  add_e91_processes(*e91, context);
  set_help(*e91, {.notes = "The photons are simulated, so the keys are only as secret as this process (docs/qkd.md).\n"
                           "For a single command, run qsp e91 COMMAND --help.",
                  .examples = {"qsp e91 run", "qsp e91 run --eve intercept:1 --report eve.html",
                               "qsp e91 sweep --over eve", "qsp e91 compare examples/links/*.toml"}});
}

}  // namespace qsp::cli
