#include "cli/kme_keys.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <system_error>
#include <thread>
#include <utility>

#include "cli/command.hpp"
#include "cli/text.hpp"
#include "etsi014/etsi014.hpp"
#include "https/client.hpp"
#include "keysource/etsi014/schedule.hpp"
#include "keysource/etsi014/source.hpp"
#include "net/loop.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

/// One key, with room for a KME's extensions.
constexpr std::size_t kMaxAnswer = std::size_t{64} * 1024;
/// A dead server leaves time for the next within the 4 s of a handshake's call.
constexpr std::chrono::seconds kConnectTimeout{1};

class Keys final : public KmeKeys {
 public:
  Keys() : work_(loop_.executor()), schedule_(loop_) {}
  ~Keys() override { stop(); }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  std::expected<void, std::string> start(const KmeOptions& options, keysource::Costs costs) try {
    std::vector<keysource::Kme> servers;
    for (const std::string& url : options.urls) {
      https::ClientOptions client;
      client.url = url;
      client.tls = {.certificate = options.certificate,
                    .key = options.key,
                    .authorities = options.authorities,
                    .revoked = options.revoked,
                    .allow_tls_1_2 = options.tls12};
      client.server_name = options.name;
      client.max_body = kMaxAnswer;
      client.connect_timeout = kConnectTimeout;
      if (options.unclean_end) client.whole_by_itself = etsi014::is_whole;
      auto made = https::Client::make(loop_, client);
      if (!made) return std::unexpected(fmt::format("--kme {}: {}", text::terminal_escape(url), made.error()));
      servers.push_back({url, std::move(*made)});
    }
    source_ = std::make_unique<keysource::Etsi014Source>(schedule_, std::move(servers), std::move(costs));
    thread_ = std::jthread([this] { loop_.run(); });
    return {};
  } catch (const std::system_error& failed) {
    return std::unexpected(fmt::format("--kme: cannot start its thread: {} (see: ulimit -u)", failed.what()));
  }

  keysource::KeySource& source() noexcept override { return *source_; }
  void stop() override {
    loop_.io().stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  net::Loop loop_;
  boost::asio::executor_work_guard<net::Executor> work_;
  keysource::LoopSchedule schedule_;
  std::unique_ptr<keysource::Etsi014Source> source_;
  std::jthread thread_;
};

}  // namespace

std::expected<void, std::string> KmeOptions::check() const {
  const std::array<std::pair<std::string_view, const std::string*>, 3> needed{
      {{"--kme-cert", &certificate}, {"--kme-key", &key}, {"--kme-ca", &authorities}}};
  for (const auto& [option, file] : needed) {
    if (urls.empty() && !file->empty()) {
      return std::unexpected(fmt::format("{} says how to reach a KME: give --kme URL too", option));
    }
    if (!urls.empty() && file->empty()) {
      return std::unexpected(fmt::format(
          "--kme needs {} FILE: --kme-cert and --kme-key are this end's certificate and key, --kme-ca whom to trust",
          option));
    }
  }
  if (urls.empty() && (!revoked.empty() || !name.empty() || tls12 || unclean_end)) {
    return std::unexpected(
        "--kme-crl, --kme-name, --kme-tls12 and --kme-unclean-end say how to reach a KME: give --kme URL too");
  }
  return {};
}

void add_kme_trust(Command& verb, std::string& revoked, std::string& name, bool& tls12) {
  verb.add_option("--kme-crl", revoked, "revocation lists of those authorities, PEM; else revocation is not checked")
      ->type_name("FILE");
  verb.add_option("--kme-name", name, "name in the KME's certificate, where it is not the URL's host")
      ->type_name("NAME");
  verb.add_flag("--kme-tls12", tls12, "allow TLS 1.2 to the KME; else 1.3 alone");
}

void add_kme_options(Command& verb, KmeOptions& options) {
  verb.add_option(
          "--kme", options.urls,
          "KME (ETSI GS QKD 014) with the QKD keys of all peers without a pad; several servers of it, best first")
      ->type_name("URL");
  verb.add_option("--kme-cert", options.certificate, "this end's certificate for the KME, PEM")->type_name("FILE");
  verb.add_option("--kme-key", options.key, "private key of that certificate, PEM, a private file (0600)")
      ->type_name("FILE");
  verb.add_option("--kme-ca", options.authorities, "authorities that the KME's certificate must descend from, PEM")
      ->type_name("FILE");
  add_kme_trust(verb, options.revoked, options.name, options.tls12);
  verb.add_flag("--kme-unclean-end", options.unclean_end,
                "take an answer without a length, if it is whole JSON, from a KME whose TLS ends without close_notify");
}

std::expected<std::unique_ptr<KmeKeys>, std::string> KmeKeys::open(const KmeOptions& options, keysource::Costs costs) {
  auto keys = std::make_unique<Keys>();
  if (const auto started = keys->start(options, std::move(costs)); !started) return std::unexpected(started.error());
  return keys;
}

}  // namespace qsp::cli
