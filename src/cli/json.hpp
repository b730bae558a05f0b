#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace qsp::cli {

/// One line of JSON on standard output, flushed; see output.hpp. Thread-safe. Valid UTF-8 whatever the texts in it are.
void print_json(const boost::json::object& object);

/// That line, with its line feed.
std::string json_line(const boost::json::object& object);

/// What a verb came to, as the line or as text for people. On return it is in the hands of the system.
void print_result(bool json, const boost::json::object& object, std::string_view text);

}  // namespace qsp::cli
