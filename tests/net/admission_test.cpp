#include "net/admission.hpp"

#include <gtest/gtest.h>

namespace qsp::net {
namespace {

Source source(const char* address) { return source_of(boost::asio::ip::make_address(address)); }

TEST(Admission, CountsHandshakesOfOneSourceTogether) {
  Admission admission({.sessions = 100, .handshakes = 100, .handshakes_per_source = 2});
  EXPECT_FALSE(admission.admit(source("192.0.2.1")));
  EXPECT_FALSE(admission.admit(source("192.0.2.1")));
  EXPECT_EQ(admission.admit(source("192.0.2.1")), Refusal::HandshakesOfSource);
  EXPECT_FALSE(admission.admit(source("192.0.2.2")));
  admission.handshake_over(source("192.0.2.1"));
  EXPECT_FALSE(admission.admit(source("192.0.2.1")));
  EXPECT_EQ(admission.admit(source("192.0.2.1")), Refusal::HandshakesOfSource);
}

TEST(Admission, LimitsHandshakesOfAllSources) {
  Admission admission({.sessions = 100, .handshakes = 2, .handshakes_per_source = 2});
  EXPECT_FALSE(admission.admit(source("192.0.2.1")));
  EXPECT_FALSE(admission.admit(source("192.0.2.2")));
  EXPECT_EQ(admission.admit(source("192.0.2.3")), Refusal::Handshakes);
  admission.handshake_over(source("192.0.2.2"));
  EXPECT_FALSE(admission.admit(source("192.0.2.3")));
}

TEST(Admission, LimitsSessionsUntilOneIsGone) {
  Admission admission({.sessions = 1, .handshakes = 9, .handshakes_per_source = 9});
  EXPECT_FALSE(admission.admit(source("192.0.2.1")));
  admission.handshake_over(source("192.0.2.1"));
  EXPECT_EQ(admission.admit(source("192.0.2.1")), Refusal::Sessions);
  EXPECT_EQ(admission.sessions(), 1U);
  admission.session_over();
  EXPECT_FALSE(admission.admit(source("192.0.2.1")));
}

TEST(Admission, TakesAnIpv6SubnetForOneSource) {
  EXPECT_EQ(source("2001:db8:0:1::1"), source("2001:db8:0:1:ffff::2"));
  EXPECT_NE(source("2001:db8:0:1::1"), source("2001:db8:0:2::1"));
  EXPECT_EQ(source("::ffff:192.0.2.1"), source("192.0.2.1"));
  EXPECT_NE(source("192.0.2.1"), source("192.0.2.2"));
  EXPECT_NE(source("::1"), source("0.0.0.0"));
}

}  // namespace
}  // namespace qsp::net
