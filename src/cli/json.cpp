#include "cli/json.hpp"

#include <boost/json/serialize.hpp>

#include "cli/output.hpp"
#include "text/escape.hpp"

namespace qsp::cli {

std::string json_line(const boost::json::object& object) {
  return text::json_escape_bytes(boost::json::serialize(object)) + '\n';
}

void print_json(const boost::json::object& object) {
  write_out(json_line(object));
  flush_out();
}

void print_result(bool json, const boost::json::object& object, std::string_view text) {
  if (json) return print_json(object);
  write_out(text);
  flush_out();
}

}  // namespace qsp::cli
