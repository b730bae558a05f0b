#pragma once

#include <boost/json/object.hpp>

namespace qsp::cli {

/// One line of JSON on stdout, flushed. Thread-safe.
void print_json(const boost::json::object& object);

}  // namespace qsp::cli
