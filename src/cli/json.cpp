#include "cli/json.hpp"

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <string>

namespace qsp::cli {

void print_json(const boost::json::object& object, std::FILE* stream) {
  const std::string line = boost::json::serialize(object) + '\n';
  std::fwrite(line.data(), 1, line.size(), stream);  // one call, and stdio locks the stream for it
  std::fflush(stream);
}

}  // namespace qsp::cli
