#pragma once

#include <string>

#include "e91/study/setup.hpp"

/// What the verbs of `qsp e91` that simulate a link have in common.
namespace qsp::cli {

class Command;

void add_e91_link_options(Command& verb, e91::study::LinkOptions& options);

/// Why such blocks cannot be made, and the remedy.
std::string describe(const e91::study::BlockProblem& problem, const e91::local::LocalConfig& config);

}  // namespace qsp::cli
