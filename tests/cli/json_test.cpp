#include "cli/json.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace qsp::cli {
namespace {

TEST(Json, stays_whole_around_them) {
  for (const char* const text : {"\xff", "\\\xff", "\"\xc3", "\xc3\"\\", "\xe2\x82"}) {
    const std::string line = json_line({{text, text}});
    ASSERT_TRUE(line.ends_with("}\n")) << line;
    const auto parsed = boost::json::parse(line);
    ASSERT_EQ(parsed.as_object().size(), 1U) << line;
  }
}

}  // namespace
}  // namespace qsp::cli
