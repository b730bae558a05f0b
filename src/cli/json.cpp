#include "cli/json.hpp"

#include <cstdio>
#include <string>

// Debian's default packages have Boost.JSON's headers only; this compiles it, here and nowhere else.
#include <boost/json/src.hpp>

namespace qsp::cli {

void print_json(const boost::json::object& object, std::FILE* stream) {
  const std::string line = boost::json::serialize(object) + '\n';
  std::fwrite(line.data(), 1, line.size(), stream);  // one call, and stdio locks the stream for it
  std::fflush(stream);
}

}  // namespace qsp::cli
