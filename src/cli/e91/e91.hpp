#pragma once

namespace qsp::cli {

class Command;
struct Context;

/// `qsp e91` and its verbs.
void add_e91(Command& app, Context& context);

// Each adds its verb to `qsp e91`.
void add_e91_run(Command& e91, Context& context);
void add_e91_sweep(Command& e91, Context& context);
void add_e91_compare(Command& e91, Context& context);
void add_e91_audit(Command& e91, Context& context);
void add_e91_bench(Command& e91, Context& context);

}  // namespace qsp::cli
