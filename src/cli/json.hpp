#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace qsp::cli {

/// One line of JSON on standard output, flushed; see output.hpp. Thread-safe. Valid UTF-8 whatever the texts in it are.
void print_json(const boost::json::object& object);

/// That line, with its line feed.
std::string json_line(const boost::json::object& object);

}  // namespace qsp::cli
