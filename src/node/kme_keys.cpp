#include "node/kme_keys.hpp"

#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/system/system_error.hpp>
#include <system_error>
#include <thread>
#include <utility>

#include "base/try.hpp"
#include "etsi014/etsi014.hpp"
#include "https/client.hpp"
#include "keysource/etsi014/schedule.hpp"
#include "keysource/etsi014/source.hpp"
#include "net/loop.hpp"
#include "text/escape.hpp"

namespace qsp::node {
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

  std::expected<void, std::string> start(const KmeAccess& access, keysource::Costs costs, NameSetting name) try {
    std::vector<keysource::KmeServer> servers;
    for (const std::string& url : access.urls) {
      https::HttpClientOptions client;
      client.url = url;
      client.tls = {.certificate = access.certificate,
                    .key = access.key,
                    .authorities = access.authorities,
                    .revoked = access.revoked,
                    .allow_tls_1_2 = access.tls12};
      client.server_name = access.name;
      client.max_body = kMaxAnswer;
      client.connect_timeout = kConnectTimeout;
      if (access.unclean_end) client.whole_by_itself = etsi014::is_whole;
      auto made = https::Client::make(loop_, client);
      if (!made)
        return std::unexpected(
            fmt::format("{} {}: {}", name(Setting::KmeUrls), text::terminal_escape(url), made.error()));
      servers.push_back({url, std::move(*made)});
    }
    source_ = std::make_unique<keysource::Etsi014Source>(schedule_, std::move(servers), std::move(costs));
    thread_ = std::jthread([this] { loop_.run(); });
    return {};
  } catch (const std::system_error& failed) {
    return std::unexpected(
        fmt::format("{}: cannot start its thread: {} (see: ulimit -u)", name(Setting::KmeUrls), failed.what()));
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

std::expected<std::unique_ptr<KmeKeys>, std::string> KmeKeys::open(const KmeAccess& access, keysource::Costs costs,
                                                                   NameSetting name) try {
  auto keys = std::make_unique<Keys>();
  QSP_TRY(keys->start(access, std::move(costs), name));
  return keys;
} catch (const boost::system::system_error& failed) {  // Asio makes its epoll descriptors in constructors
  return std::unexpected(fmt::format("{}: {} (see: ulimit -n)", name(Setting::KmeUrls), failed.what()));
}

}  // namespace qsp::node
