#include "cli/app.hpp"

int main(int argc, char** argv) { return qsp::cli::run(argc, argv); }
