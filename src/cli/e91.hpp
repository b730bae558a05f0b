#pragma once

namespace CLI {
class App;
}

namespace qsp::cli {

struct Context;

/// `qsp e91` and its verbs.
void add_e91(CLI::App& app, Context& context);

}  // namespace qsp::cli
