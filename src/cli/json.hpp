#pragma once

#include <boost/json/object.hpp>
#include <cstdio>

namespace qsp::cli {

/// One line of JSON on stdout, or where stdout is taken, on stderr; flushed. Thread-safe.
void print_json(const boost::json::object& object, std::FILE* stream = stdout);

}  // namespace qsp::cli
