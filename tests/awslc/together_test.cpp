// AWS-LC, this program's OpenSSL and the one that libpq brings, at work in one process.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <openssl/err.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "awslc/tls_server.hpp"
#include "channel/world.hpp"
#include "https/authority.hpp"
#include "qsp/awslc.hpp"
#include "qsp/openssl.hpp"

namespace qsp::test {
namespace {

using namespace std::chrono_literals;
using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

void expect_a_session(std::unique_ptr<crypto::Provider> client, std::unique_ptr<crypto::Provider> server) {
  World world(std::move(client), std::move(server));
  const auto pair = world.established();
  ASSERT_TRUE(pair->seen(Role::Client).session_id);
  ASSERT_TRUE(pair->rekey(Role::Client));
  world.run_with_keys(*pair);
  EXPECT_EQ(pair->at(Role::Client).status().current.epoch, pair->at(Role::Server).status().current.epoch);
  ASSERT_TRUE(pair->send(Role::Client, "hello bob"));
  pair->run();
  EXPECT_EQ(pair->seen(Role::Server).received(),
            (std::vector<std::uint8_t>{'h', 'e', 'l', 'l', 'o', ' ', 'b', 'o', 'b'}));
  EXPECT_EQ(pair->defect(), "");
}

std::unique_ptr<crypto::Provider> awslc() { return crypto::make_awslc_provider().value(); }
std::unique_ptr<crypto::Provider> openssl() { return crypto::make_openssl_provider().value(); }

/// libpq's TLS, by the system's libssl, with a server of this program's own.
class Together : public testing::Test {
 protected:
  void SetUp() override {
    const auto now = std::chrono::system_clock::now();
    auto authority = https::Authority::make("together", now - 1h, 24h).value();
    const auto leaf = authority.issue({.common_name = "localhost", .server = true}, now - 1h, 24h).value();
    std::ofstream(root_) << authority.credential().certificate;
    server_ = std::make_unique<TlsServer>(leaf.certificate, std::string(leaf.key.reveal_text()));
    ASSERT_NE(server_->port(), 0);
  }
  void TearDown() override { std::filesystem::remove(root_); }

  [[nodiscard]] Connection connect() const {
    const std::string where = "hostaddr=127.0.0.1 port=" + std::to_string(server_->port()) +
                              " user=alice dbname=alice sslmode=verify-ca sslrootcert='" + root_.string() +
                              "' sslcert=/nonexistent gssencmode=disable channel_binding=disable";
    return {PQconnectdb(where.c_str()), &PQfinish};
  }

  std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("qsp-together-" + std::to_string(::getpid()) + ".pem");
  std::unique_ptr<TlsServer> server_;
};

TEST_F(Together, sessions_and_tls_get_on_in_one_process) {
  expect_a_session(awslc(), awslc());
  const Connection database = connect();
  ASSERT_EQ(PQstatus(database.get()), CONNECTION_OK) << PQerrorMessage(database.get());
  EXPECT_EQ(PQsslInUse(database.get()), 1);
  EXPECT_STREQ(PQsslAttribute(database.get(), "protocol"), "TLSv1.3");
  expect_a_session(awslc(), openssl());
  expect_a_session(openssl(), awslc());
  expect_a_session(awslc(), awslc());
}

TEST_F(Together, a_failure_of_one_library_is_none_of_the_other) {
  ERR_clear_error();
  const auto provider = awslc();
  const std::string_view nonsense = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
  EXPECT_FALSE(provider->load_signer(nonsense, {}));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace qsp::test
