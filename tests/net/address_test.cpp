#include "net/address.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/address.hpp>
#include <string>
#include <utility>

namespace qsp::net {
namespace {

void expect_address(std::string_view text, std::string_view host, std::uint16_t port) {
  const auto address = parse_address(text);
  ASSERT_TRUE(address.has_value()) << text << ": " << address.error();
  EXPECT_EQ(address->host, host) << text;
  EXPECT_EQ(address->port, port) << text;
}

TEST(Address, takes_every_form_that_the_help_names) {
  expect_address("localhost", "localhost", kDefaultPort);
  expect_address("localhost:80", "localhost", 80);
  expect_address("127.0.0.1:0", "127.0.0.1", 0);
  expect_address("[::1]:65535", "::1", 65535);
  expect_address("[::1]", "::1", kDefaultPort);
  expect_address("::1", "::1", kDefaultPort);
  expect_address("fe80::1%eth0", "fe80::1%eth0", kDefaultPort);
}

TEST(Address, refuses_what_is_none) {
  for (const std::string_view text : {"", ":80", "host:", "host:65536", "host:-1", "host:8o", "host:80 ", "[::1",
                                      "[::1]80", "[]:80", "ho st", "host\n", "\x1b[31m", "host/path"}) {
    EXPECT_FALSE(parse_address(text).has_value()) << text;
  }
  EXPECT_TRUE(parse_address(std::string(255, 'a')).has_value());
  EXPECT_FALSE(parse_address(std::string(256, 'a')).has_value());
}

TEST(Address, what_may_be_a_port_behind_a_bare_ipv6_address_is_asked_for) {
  for (const auto& [text, meant] :
       {std::pair("::1:7155", "[::1]:7155"), std::pair("2001:db8::1:80", "[2001:db8::1]:80"),
        std::pair("1:2:3:4:5:6:7:8:7155", "[1:2:3:4:5:6:7:8]:7155")}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address.has_value()) << text;
    EXPECT_NE(address.error().find(meant), std::string::npos) << address.error();
  }
  EXPECT_NE(parse_address("::1:70000").error().find("brackets"), std::string::npos);
  expect_address("fe80::a:71ff", "fe80::a:71ff", kDefaultPort);
  expect_address("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", kDefaultPort);
  expect_address("[::1:7155]", "::1:7155", kDefaultPort);
}

TEST(Address, a_port_alone_is_no_host) {
  const auto address = parse_address("7155");
  ASSERT_FALSE(address);
  EXPECT_NE(address.error().find("7155 is a port without a host: write 127.0.0.1:7155"), std::string::npos)
      << address.error();
  EXPECT_TRUE(parse_address("7155.example"));
  EXPECT_TRUE(parse_address("127.0.0.1"));
}

TEST(Address, is_written_so_that_it_can_be_read_again) {
  for (const std::string_view text : {"localhost:7155", "127.0.0.1:1", "[::1]:7155"}) {
    EXPECT_EQ(to_string(*parse_address(text)), text);
  }
  EXPECT_EQ(to_string(boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("::1"), 7)), "[::1]:7");
}

}  // namespace
}  // namespace qsp::net
