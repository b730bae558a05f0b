#pragma once

namespace CLI {
class App;
}

namespace qsp::cli {

struct Context;

/// `qsp e91` and its verbs.
void add_e91(CLI::App& app, Context& context);

// Each adds its verb to `qsp e91`.
void add_e91_run(CLI::App& e91, Context& context);
void add_e91_sweep(CLI::App& e91, Context& context);
void add_e91_compare(CLI::App& e91, Context& context);
void add_e91_audit(CLI::App& e91, Context& context);
void add_e91_bench(CLI::App& e91, Context& context);

}  // namespace qsp::cli
