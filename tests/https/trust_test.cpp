#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "crypto/openssl/owned.hpp"
#include "https/raw.hpp"
#include "https/world.hpp"

namespace qsp::https {
namespace {

/// The same private key, PEM, under a passphrase.
std::string protect_key(const std::string& key, std::string passphrase) {
  const crypto::openssl::Bio text(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const crypto::openssl::Pkey read(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr));
  const crypto::openssl::Bio out(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(out.get(), read.get(), EVP_aes_256_cbc(), passphrase.data(),
                                          static_cast<int>(passphrase.size()), nullptr, nullptr),
            1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

class Trust : public ::testing::Test {
 protected:
  /// What a client with these files hears from a server with those.
  Answered meet(const TlsFiles& server_files, const TlsFiles& client_files, const std::string& name = "") {
    HttpServerOptions server_options;
    server_options.tls = server_files;
    const auto server = world_.serve(server_options);
    HttpClientOptions options;
    options.tls = client_files;
    options.server_name = name;
    const auto client = world_.connect_to(server->port(), options);
    Answered got = world_.ask(*client, "/x");
    if (!got) {
      EXPECT_TRUE(world_.handler.seen.empty()) << "a refused peer reached the handler";
      EXPECT_FALSE(got.error().sent) << got.error().text;
    }
    world_.handler.seen.clear();
    return got;
  }
  std::string error_of(const TlsFiles& files) {
    HttpServerOptions options;
    options.tls = files;
    const auto server = Server::open(world_.loop, options, world_.handler);
    return server ? std::string("no error") : server.error();
  }
  void expect(const TlsFiles& files, const std::string& file, const std::string& remedy) {
    const std::string error = error_of(files);
    EXPECT_NE(error.find(file), std::string::npos) << error;
    EXPECT_NE(error.find(remedy), std::string::npos) << error;
  }
  void expect_refused(const TlsFiles& server_files, const TlsFiles& client_files, const std::string& why,
                      const std::string& name = "") {
    const Answered got = meet(server_files, client_files, name);
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().text.find(why), std::string::npos) << got.error().text;
  }

  World world_;
  TlsFiles server_ = world_.server_files;
  TlsFiles client_ = world_.client_files;
  Authority other_ = make_authority("Other CA");
};

TEST_F(Trust, the_right_certificates_meet) { EXPECT_EQ(text_of(meet(server_, client_)), "/x "); }

TEST_F(Trust, a_server_of_another_authority_is_refused) {
  const TlsFiles alien = world_.files("alien", issue(other_, World::server_certificate()));
  expect_refused(alien, client_, "its certificate is refused");
}

TEST_F(Trust, a_client_of_another_authority_is_refused) {
  const TlsFiles alien = world_.files("alien", issue(other_, {.common_name = "alice"}));
  expect_refused(server_, alien, "it refused this end's certificate");
}

TEST_F(Trust, expired_certificates_are_refused_at_both_ends) {
  constexpr std::chrono::hours kDay(24);
  const TlsFiles expired =
      world_.files("expired", issue(world_.authority, World::server_certificate(), -2 * kDay, kDay));
  expect_refused(expired, client_, "expired");
  expect_refused(server_, expired, "it refused this end's certificate");
}

TEST_F(Trust, certificates_of_the_future_are_refused) {
  constexpr std::chrono::hours kDay(24);
  const TlsFiles future = world_.files("future", issue(world_.authority, World::server_certificate(), kDay, kDay));
  expect_refused(future, client_, "not yet valid");
}

TEST_F(Trust, revoked_certificates_are_refused_at_both_ends) {
  const Credential issued = issue(world_.authority, World::server_certificate());
  const TlsFiles revoked = world_.files("revoked", issued);
  const std::string list = world_.folder.with("list.crl", revoke(world_.authority, {issued.certificate}));
  TlsFiles client = client_;
  TlsFiles server = server_;
  EXPECT_TRUE(meet(revoked, client)) << "without a list nobody knows";
  client.revoked = server.revoked = list;
  expect_refused(revoked, client, "revoked");
  expect_refused(server, revoked, "it refused this end's certificate");
  EXPECT_TRUE(meet(server, client)) << "others are not revoked";
}

TEST_F(Trust, a_list_that_is_too_old_or_of_another_authority_refuses_everybody) {
  TlsFiles client = client_;
  client.revoked = world_.folder.with("old.crl", revoke(world_.authority, {}, std::chrono::minutes(59)));
  expect_refused(server_, client, "CRL has expired");
  client.revoked = world_.folder.with("other.crl", revoke(other_, {}));
  expect_refused(server_, client, "unable to get certificate CRL");
}

TEST_F(Trust, a_certificate_for_another_host_is_refused) {
  const Subject subject{.common_name = "localhost",  // does not count
                        .dns_names = {"kme.example"},
                        .addresses = {"127.0.0.2"},
                        .uris = {}};
  const TlsFiles elsewhere = world_.files("elsewhere", issue(world_.authority, subject));
  expect_refused(elsewhere, client_, "its certificate is refused");
  expect_refused(elsewhere, client_, "its certificate is refused", "localhost");
  EXPECT_TRUE(meet(elsewhere, client_, "kme.example"));
  EXPECT_TRUE(meet(elsewhere, client_, "127.0.0.2"));
}

TEST_F(Trust, names_that_could_be_misread_are_refused) {
  const std::string nul("alice\0.evil", 11);
  const auto refused = [&](const std::string& file, const Subject& subject) {
    const Answered got = [&] {
      const auto server = world_.serve();
      HttpClientOptions client_options;
      client_options.tls = world_.files(file, issue(world_.authority, subject));
      return world_.ask(*world_.connect_to(server->port(), client_options), "/x");
    }();
    EXPECT_FALSE(got) << file;
    EXPECT_TRUE(world_.handler.seen.empty()) << file;
  };
  refused("nul-name", {.common_name = nul});
  refused("nul-uri", {.common_name = "alice", .uris = {"sae:ok", nul}});
  refused("line-in-name", {.common_name = "alice\nbob"});
}

TEST_F(Trust, names_are_optional_and_uris_keep_their_order) {
  const TlsFiles nameless = world_.files("nameless", issue(world_.authority, {.uris = {"b:2", "a:1"}}));
  EXPECT_TRUE(meet(server_, nameless));
  EXPECT_EQ(world_.handler.last_peer.common_name, "");
  EXPECT_EQ(world_.handler.last_peer.uris, (std::vector<std::string>{"b:2", "a:1"}));
}

/// A client of OpenSSL's own, for what ours cannot be made to do.
class BareClient {
 public:
  BareClient(std::uint16_t port, const std::function<void(SSL_CTX*)>& configure)
      : context_(SSL_CTX_new(TLS_client_method())) {
    configure(context_);
    ssl_ = SSL_new(context_);
    BIO* const bio = BIO_new_connect(("127.0.0.1:" + std::to_string(port)).c_str());
    BIO_set_nbio(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
  }
  BareClient(const BareClient&) = delete;
  BareClient& operator=(const BareClient&) = delete;
  ~BareClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }

  /// Goes on with the handshake, then with reading; true once it failed.
  bool step() {
    std::array<char, 4096> buffer{};
    const int result =
        SSL_is_init_finished(ssl_) ? SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size())) : SSL_connect(ssl_);
    const int why = SSL_get_error(ssl_, result);
    return result <= 0 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_CONNECT;
  }
  SSL* ssl() { return ssl_; }

 private:
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
};

TEST_F(Trust, a_client_without_a_certificate_is_refused) {
  const auto server = world_.serve();
  BareClient bare(server->port(), [](SSL_CTX*) {});
  EXPECT_TRUE(world_.until([&] { return bare.step(); }));
  EXPECT_TRUE(world_.until([&] { return server->counts().tls_failures == 1; }));
  EXPECT_EQ(server->counts().requests, 0u);
}

TEST_F(Trust, tls12_is_for_those_who_allow_it) {
  const auto old_client = [this](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_use_certificate_file(context, client_.certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context, client_.key.c_str(), SSL_FILETYPE_PEM);
  };
  const auto strict = world_.serve();
  BareClient refused(strict->port(), old_client);
  EXPECT_TRUE(world_.until([&] { return refused.step(); }));
  EXPECT_FALSE(SSL_is_init_finished(refused.ssl()));

  HttpServerOptions options;
  options.tls = server_;
  options.tls->allow_tls_1_2 = true;
  const auto lenient = world_.serve(options);
  BareClient admitted(lenient->port(), old_client);
  EXPECT_TRUE(world_.until([&] { return admitted.step() || SSL_is_init_finished(admitted.ssl()); }));
  EXPECT_TRUE(SSL_is_init_finished(admitted.ssl()));
  EXPECT_STREQ(SSL_get_version(admitted.ssl()), "TLSv1.2");
  EXPECT_EQ(text_of(meet(*options.tls, client_)), "/x ");
}

/// What a client hears from a server whose TLS was changed so.
class Meeting : public Trust {
 protected:
  Answered meet_changed(const std::function<void(SSL_CTX*)>& configure, bool allow_old = false) {
    TlsFiles files = server_;
    files.allow_tls_1_2 = true;
    ScriptedServer server(files, {answer_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")}, configure);
    HttpClientOptions options;
    options.tls = client_;
    options.tls.allow_tls_1_2 = allow_old;
    return world_.ask(*world_.connect_to(server.port(), options), "/x");
  }
  static void expect_unsent(const Answered& got, bool lasting, const std::string& remedy) {
    ASSERT_FALSE(got);
    EXPECT_FALSE(got.error().sent) << got.error().text;
    EXPECT_EQ(got.error().lasting, lasting) << got.error().text;
    EXPECT_NE(got.error().text.find(remedy), std::string::npos) << got.error().text;
  }
};

TEST_F(Meeting, a_server_of_tls12_alone_is_told_with_the_option_that_allows_it) {
  const auto old = [](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); };
  expect_unsent(meet_changed(old), true, "--kme-tls12");
  EXPECT_EQ(text_of(meet_changed(old, true)), "{}");
}

TEST_F(Meeting, a_server_without_a_common_group_or_cipher_is_told_what_is_needed) {
  const auto group = [](SSL_CTX* context) { SSL_CTX_set1_groups_list(context, "P-521"); };
  expect_unsent(meet_changed(group), true, "X25519MLKEM768");
  const auto cipher = [](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384");
  };
  expect_unsent(meet_changed(cipher, true), true, "ECDHE+AESGCM");
}

TEST_F(Meeting, a_server_that_ends_the_handshake_or_speaks_no_tls_is_told_with_the_remedy) {
  expect_unsent(meet_changed([](SSL_CTX* context) { speak_plainly(context, ""); }), false,
                "ended the connection in the TLS");
  expect_unsent(meet_changed([](SSL_CTX* context) { speak_plainly(context, "HTTP/1.1 400 Bad Request\r\n\r\n"); }),
                true, "does not speak TLS");
}

TEST_F(Meeting, a_certificate_that_is_refused_stays_refused) {
  const TlsFiles alien = world_.files("alien", issue(other_, World::server_certificate()));
  EXPECT_TRUE(meet(alien, client_).error().lasting);
  const TlsFiles stranger = world_.files("stranger", issue(other_, {.common_name = "alice"}));
  EXPECT_TRUE(meet(server_, stranger).error().lasting);
}

TEST_F(Trust, the_key_exchange_is_quantum_safe_and_no_session_is_kept) {
  const auto server = world_.serve();
  bool kept = false;
  BareClient bare(server->port(), [&](SSL_CTX* context) {
    SSL_CTX_use_certificate_file(context, client_.certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context, client_.key.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_app_data(context, &kept);
    SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION*) {
      *static_cast<bool*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))) = true;
      return 0;
    });
  });
  bool asked = false;
  ASSERT_TRUE(world_.until([&] {
    if (SSL_is_init_finished(bare.ssl()) && !asked) asked = SSL_write(bare.ssl(), "GET / HTTP/1.0\r\n\r\n", 18) == 18;
    return bare.step();
  }));
  EXPECT_TRUE(asked);
  EXPECT_STREQ(SSL_get0_group_name(bare.ssl()), "X25519MLKEM768");
  EXPECT_FALSE(kept) << "a session that could be resumed";
}

/// RFC 7468 §2 and §5.2: as `openssl x509 -text` writes it, or Windows.
TEST_F(Trust, files_with_text_around_their_blocks_meet) {
  const auto described = [](std::string_view pem, std::string_view end) {
    std::string text =
        "\xEF\xBB\xBF"
        "Certificate:\n    Data: of somebody\n";
    text.append(pem).append("behind\n");
    std::string other;
    for (const char c : text) other.append(c == '\n' ? end : std::string_view(&c, 1));
    return other;
  };
  for (const std::string_view end : {"\n", "\r\n"}) {
    TlsFiles files = server_;
    files.certificate = world_.folder.with("text.pem", described(test::content_of(server_.certificate), end));
    files.key = world_.folder.with("text.key", described(test::content_of(server_.key), end));
    files.authorities = world_.folder.with("text.ca", described(test::content_of(server_.authorities), end));
    files.revoked = world_.folder.with("text.crl", described(revoke(world_.authority, {}), end));
    EXPECT_EQ(text_of(meet(files, client_)), "/x ");
  }
}

TEST_F(Trust, no_key_is_skipped_and_a_damaged_block_neither) {
  const std::string key = test::content_of(server_.key);
  const std::string certificate = test::content_of(server_.certificate);
  TlsFiles files = server_;
  files.certificate = world_.folder.with("beside.pem", certificate + key);
  expect(files, files.certificate, "PRIVATE KEY where a certificate belongs");
  files.key = files.certificate;  // one file for both, on purpose
  EXPECT_EQ(error_of(files), "no error");
  files = server_;
  files.authorities = world_.folder.with("beside.ca", key + test::content_of(server_.authorities));
  expect(files, files.authorities, "PRIVATE KEY where a certificate belongs");
  files.authorities = world_.folder.with("cut.ca", test::content_of(server_.authorities) + certificate.substr(0, 100));
  expect(files, files.authorities, "damaged PEM block");
  files = server_;
  files.key = world_.folder.with("two.key", key + test::content_of(client_.key));
  expect(files, files.key, "more than one private key");
  files.key = world_.folder.with("public.key", key + "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
  expect(files, files.key, "PUBLIC KEY where a private key belongs");
}

TEST_F(Trust, files_that_others_can_change_are_refused) {
  for (const auto member : {&TlsFiles::authorities, &TlsFiles::revoked}) {
    TlsFiles files = server_;
    files.revoked = world_.folder.with("list.crl", revoke(world_.authority, {}));
    std::filesystem::permissions(files.*member, std::filesystem::perms::group_write,
                                 std::filesystem::perm_options::add);
    expect(files, files.*member, "chmod go-w");
    std::filesystem::permissions(files.*member, std::filesystem::perms::group_write,
                                 std::filesystem::perm_options::remove);
    EXPECT_EQ(error_of(files), "no error");
  }
}

TEST_F(Trust, files_that_will_not_do_are_named_with_the_remedy) {
  TlsFiles files = server_;
  files.key = world_.folder.with("locked.key", protect_key(test::content_of(server_.key), "secret"));
  expect(files, files.key, "openssl pkey -in");
  files.key = client_.key;
  expect(files, files.key, "belong together");
  files.key = server_.certificate;
  expect(files, files.key, "PRIVATE KEY");
  files.key = world_.folder.with("open.key", test::content_of(server_.key));
  std::filesystem::permissions(files.key, std::filesystem::perms::all);
  expect(files, files.key, "chmod 600");
  files = server_;
  files.authorities = world_.folder.with("empty.ca", "");
  expect(files, files.authorities, "holds no certificate");
  files.authorities = world_.folder.with("bad.ca", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  expect(files, files.authorities, "damaged certificate");
  files = server_;
  files.revoked = server_.certificate;
  expect(files, files.revoked, "no revocation list");
}

}  // namespace
}  // namespace qsp::https
