#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace qsp::cli {

/// One line of JSON on standard output, flushed; see output.hpp. Thread-safe. Valid UTF-8 whatever the texts in it are.
void print_json(const boost::json::object& object);

/// That line, with its line feed.
std::string json_line(const boost::json::object& object);

/// `json` with each byte that is no UTF-8 as the escape that text has for it, \xNN, its backslash doubled as JSON wants
/// it. Names of files are any bytes; JSON is UTF-8 (RFC 8259 §8.1), and such bytes stand in its strings alone.
std::string with_valid_utf8(std::string_view json);

}  // namespace qsp::cli
