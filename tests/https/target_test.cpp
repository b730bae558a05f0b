#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "https/https.hpp"
#include "https/url.hpp"
#include "text/escape.hpp"

namespace qsp::https {
namespace {

using Path = std::vector<std::string>;
using Query = std::vector<std::pair<std::string, std::string>>;

TEST(Target, is_cut_into_decoded_segments_and_fields) {
  const auto target = parse_target("/api/v1/keys/a%2Fb%20c/enc_keys?number=3&size=256&flag&empty=&e%3d=x%26y=z");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, (Path{"api", "v1", "keys", "a/b c", "enc_keys"}));
  EXPECT_EQ(target->query, (Query{{"number", "3"}, {"size", "256"}, {"flag", ""}, {"empty", ""}, {"e=", "x&y=z"}}));
}

TEST(Target, keeps_empty_segments_so_that_none_can_hide) {
  EXPECT_EQ(parse_target("/")->path, (Path{""}));
  EXPECT_EQ(parse_target("//a/")->path, (Path{"", "a", ""}));
  EXPECT_EQ(parse_target("/?")->path, (Path{""}));
  EXPECT_TRUE(parse_target("/?")->query.empty());
  EXPECT_EQ(parse_target("/a+b")->path, (Path{"a+b"}));
}

TEST(Target, is_refused_without_a_slash_or_with_a_bad_escape_or_a_nul) {
  for (const std::string bad :
       {"", "a", "*", "http://host/a", "/%", "/%4", "/%g0", "/%0g", "/a%00b", "/?x=%00", "/?%=1"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
  EXPECT_FALSE(parse_target(std::string("/a\0b", 4)));
}

TEST(Target, escaping_survives_parsing) {
  std::string every;
  for (int byte = 1; byte < 256; ++byte) every.push_back(static_cast<char>(byte));
  const auto target = parse_target("/x/" + text::url_escape(every) + "?q=" + text::url_escape(every));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, (Path{"x", every}));
  EXPECT_EQ(target->query, (Query{{"q", every}}));
}

TEST(Url, has_a_host_and_may_have_a_port_and_a_prefix) {
  const auto plain = parse_url("https://kme.example");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->address.port, 443);
  EXPECT_EQ(plain->text(), "https://kme.example");
  const auto full = parse_url("https://[::1]:8443/kme/one/");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->address.host, "::1");
  EXPECT_EQ(full->prefix, "/kme/one");
  EXPECT_EQ(full->text(), "https://[::1]:8443/kme/one");
  EXPECT_EQ(parse_url("https://[::1]")->text(), "https://[::1]");
}

TEST(Url, is_refused_where_it_is_ambiguous) {
  for (const char* bad :
       {"", "kme", "http://kme", "https://", "https:///x", "https://a:b", "https://a:", "https://a:0", "https://::1",
        "https://u@h", "https://h/?q", "https://h/#f", "https://h /", "https://h:70000"}) {
    const auto url = parse_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_NE(url.error().find("https://HOST"), std::string::npos);
  }
}

}  // namespace
}  // namespace qsp::https
