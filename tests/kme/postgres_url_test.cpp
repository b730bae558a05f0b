#include "kme/store/postgres_url.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "https/authority.hpp"
#include "kme/raw_sql.hpp"
#include "kme/store_fixture.hpp"

// Keys travel to a database of another machine over checked TLS alone.

namespace qsp::kme::test {
namespace {

using store::read_postgres_url;

using std::chrono::hours;

/// A variable of the environment, until this goes.
class Around {
 public:
  Around(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  Around(const Around&) = delete;
  Around& operator=(const Around&) = delete;
  ~Around() { ::unsetenv(name_); }

 private:
  const char* name_;
};

bool is_verified(const std::string& url) {
  const auto target = read_postgres_url(url, false);
  return target && target->conninfo.find("sslmode='verify-full' ") != std::string::npos &&
         target->conninfo.find("gssencmode='disable' ") != std::string::npos;
}

std::string refusal(const std::string& url) {
  const auto target = read_postgres_url(url, false);
  return target ? "accepted: " + target->conninfo : target.error().text;
}

TEST(PostgresUrl, of_another_machine_means_checked_tls_whatever_it_leaves_out) {
  for (const std::string url :
       {"postgresql://kme@db.example/keys", "postgresql://kme@192.0.2.1/keys", "postgresql://kme@[2001:db8::1]/keys",
        "postgresql://kme@db.example/keys?sslmode=verify-full", "postgresql://kme@localhost,db.example/keys",
        "postgresql://kme@localhost/keys?hostaddr=192.0.2.1", "postgresql://kme@/keys?host=/run/postgresql,db.example",
        "postgresql://kme@127.0.0.1/keys?service=keys", "postgresql://kme@localhost.example/keys",
        "postgresql://kme@127.0.0.1.example/keys", "postgresql://kme@db.example/keys?hostaddr=127.0.0.1,192.0.2.1"}) {
    EXPECT_TRUE(is_verified(url)) << url;
  }
}

TEST(PostgresUrl, of_this_machine_is_left_as_it_is) {
  for (const std::string url :
       {"postgresql://kme@/keys", "postgresql://kme@/keys?host=/run/postgresql", "postgresql://kme@localhost/keys",
        "postgresql://kme@127.0.0.1,[::1]/keys?sslmode=disable", "postgresql://kme@db.example/keys?hostaddr=127.8.8.8",
        "postgresql://kme@/keys?host=%40abstract"}) {
    EXPECT_FALSE(is_verified(url)) << url;
    EXPECT_TRUE(read_postgres_url(url, false)) << refusal(url);
  }
}

TEST(PostgresUrl, that_weakens_tls_to_another_machine_is_refused_with_the_remedy) {
  for (const std::string weaker :
       {"sslmode=disable", "sslmode=allow", "sslmode=prefer", "sslmode=require", "sslmode=verify-ca", "requiressl=1",
        "gssencmode=prefer", "gssencmode=require", "ssl_min_protocol_version=TLSv1"}) {
    const std::string url = "postgresql://kme:hunter2@db.example/keys?" + weaker;
    EXPECT_NE(refusal(url).find("sslmode=verify-full&sslrootcert="), std::string::npos) << refusal(url);
    EXPECT_NE(refusal(url).find("dangerous_unverified_database"), std::string::npos) << refusal(url);
    EXPECT_EQ(refusal(url).find("hunter2"), std::string::npos);
    EXPECT_TRUE(read_postgres_url(url, true)) << "whoever says that it is dangerous may";
  }
}

TEST(PostgresUrl, counts_what_the_environment_says) {
  const std::string plain = "postgresql://kme@/keys";
  {
    const Around host("PGHOST", "db.example");
    EXPECT_TRUE(is_verified(plain));
    EXPECT_FALSE(is_verified("postgresql://kme@127.0.0.1/keys")) << "the URL stands before it";
    const Around mode("PGSSLMODE", "require");
    EXPECT_NE(refusal(plain).find("PGSSLMODE=require"), std::string::npos) << refusal(plain);
    EXPECT_TRUE(is_verified(plain + "?sslmode=verify-full")) << "the URL stands before it";
  }
  {
    const Around address("PGHOSTADDR", "192.0.2.1");
    EXPECT_TRUE(is_verified("postgresql://kme@localhost/keys"));
  }
  const Around service("PGSERVICE", "keys");
  EXPECT_TRUE(is_verified(plain)) << "whatever the service says now, it may say something else later";
}

/// A loopback address of this process's own. A server that is told its port may find it taken on 127.0.0.1, by any
/// connection that has begun since.
std::string own_address() {
  const auto pid = static_cast<unsigned>(::getpid());
  return fmt::format("127.{}.{}.{}", 64 + ((pid >> 16) & 0x3F), (pid >> 8) & 0xFF, pid & 0xFF);
}

/// A real server under TLS. What makes it another machine's is a second host in the URL, which nothing can reach.
class PostgresTls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!qsp::test::Postgres::missing().empty()) GTEST_SKIP() << qsp::test::Postgres::missing();
    server_.emplace();
    local_ = server_->new_database();
  }

  https::Credential issue(const std::string& name, hours begins = hours(-1), hours life = hours(25)) {
    auto made =
        authority_.issue({.dns_names = {name}, .server = true}, std::chrono::system_clock::now() + begins, life);
    if (!made) throw std::runtime_error(made.error());
    return *std::move(made);
  }
  void serve(const https::Credential& credential) {
    const std::string certificate = server_->put("server.crt", credential.certificate);
    const std::string key = server_->put("server.key", std::string(credential.key.reveal_text()));
    restart({"ssl=on", "ssl_cert_file=" + certificate, "ssl_key_file=" + key});
  }
  void restart(std::vector<std::string> settings) {
    server_->stop();
    settings.push_back("listen_addresses=" + address_);
    server_->start(settings);
  }
  /// What opening the store over TCP says; empty: it opened.
  std::string open(const std::string& more = "") {
    const auto store = Store::open(remote(more));
    if (!store) return store.error().text;
    tls_connections_ = raw_number(local_,
                                  "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl"
                                  " AND application_name = 'qsp-kme'");
    return {};
  }
  std::string remote(const std::string& more) {
    return "postgresql://qsp@/d1?host=db.test,db.test&hostaddr=" + address_ + ",255.255.255.255&sslrootcert=" + ca_ +
           more;
  }
  void expect_refused(const std::string& why, const std::string& more = "") {
    const std::string said = open(more);
    EXPECT_NE(said.find(why), std::string::npos) << said;
  }
  std::string revoke(const https::Credential& credential) {
    auto list = authority_.revoke({credential.certificate}, std::chrono::system_clock::now() - hours(1), hours(25));
    if (!list) throw std::runtime_error(list.error());
    return *std::move(list);
  }

  static https::Authority make_authority() {
    auto made = https::Authority::make("Database CA", std::chrono::system_clock::now() - hours(1), hours(25));
    if (!made) throw std::runtime_error(made.error());
    return *std::move(made);
  }

  https::Authority authority_ = make_authority();
  qsp::test::TempFolder folder_;
  std::string ca_ = folder_.with("ca.pem", authority_.credential().certificate);
  std::optional<qsp::test::Postgres> server_;
  const std::string address_ = own_address();
  std::string local_;
  long long tls_connections_ = 0;
};

TEST_F(PostgresTls, with_the_right_certificate_works_and_is_used) {
  serve(issue("db.test"));
  EXPECT_EQ(open(), "");
  EXPECT_EQ(tls_connections_, 1);
}

TEST_F(PostgresTls, that_is_missing_or_taken_away_is_no_way_to_the_keys) {
  restart({});
  expect_refused("SSL");
  const std::string service = folder_.with("service.conf", "[keys]\nhost=" + address_ + "\nsslmode=disable\n");
  const Around file("PGSERVICEFILE", service);
  const auto by_service = Store::open("postgresql://qsp@/d1?service=keys");
  ASSERT_FALSE(by_service);
  EXPECT_NE(by_service.error().text.find("SSL"), std::string::npos) << by_service.error().text;
}

TEST_F(PostgresTls, with_a_certificate_that_is_not_its_own_or_is_over_is_refused) {
  serve(issue("other.test"));
  expect_refused("does not match host name");
  serve(issue("db.test", hours(-20), hours(1)));
  expect_refused("certificate verify failed");
}

TEST_F(PostgresTls, with_a_revoked_certificate_is_refused_from_the_next_reload_on) {
  const https::Credential used = issue("db.test");
  serve(used);
  const https::Credential other = issue("db.test");
  const std::string crl = folder_.with("crl.pem", revoke(other));
  const auto store = must(Store::open(remote("&sslcrl=" + crl)));
  EXPECT_EQ(counts(*store).there, 0U);
  std::ignore = folder_.with("crl.pem", revoke(used));
  EXPECT_EQ(counts(*store).there, 0U) << "a connection that is open stays, until it is told";
  ASSERT_TRUE(store->check_files());
  store->renew();
  const auto begun = store->begin();
  ASSERT_FALSE(begun);
  EXPECT_NE(begun.error().text.find("certificate verify failed"), std::string::npos) << begun.error().text;
  expect_refused("certificate verify failed", "&sslcrl=" + crl);
}

TEST_F(PostgresTls, with_revocation_lists_that_cannot_be_read_is_refused) {
  serve(issue("db.test"));
  expect_refused("missing.pem", "&sslcrl=" + (folder_ / "missing.pem"));
  const std::string garbage = folder_.with("garbage.pem", "no list");
  expect_refused("revocation list", "&sslcrl=" + garbage);
}

}  // namespace
}  // namespace qsp::kme::test
