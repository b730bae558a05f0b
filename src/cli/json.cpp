#include "cli/json.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/locale/utf.hpp>
#include <iterator>

#include "cli/output.hpp"

namespace qsp::cli {

std::string with_valid_utf8(std::string_view json) {
  using Utf8 = boost::locale::utf::utf_traits<char>;
  std::string valid;
  valid.reserve(json.size());
  for (auto at = json.begin(); at != json.end();) {
    const auto start = at;
    const boost::locale::utf::code_point point = Utf8::decode(at, json.end());
    if (boost::locale::utf::is_valid_codepoint(point)) {
      valid.append(start, at);
    } else {
      fmt::format_to(std::back_inserter(valid), "\\\\x{:02x}", static_cast<unsigned char>(*start));
      at = start + 1;
    }
  }
  return valid;
}

std::string json_line(const boost::json::object& object) {
  return with_valid_utf8(boost::json::serialize(object)) + '\n';
}

void print_json(const boost::json::object& object) {
  write_out(json_line(object));
  flush_out();
}

}  // namespace qsp::cli
