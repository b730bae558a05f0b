#include "cli/bench_sessions.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "cli/process.hpp"
#include "net/echo.hpp"
#include "net/server.hpp"
#include "qsp/openssl.hpp"

namespace qsp::cli {
namespace {

/// Sessions that come first, so that pools and libraries have what they keep before anything is measured.
constexpr std::size_t kWarmUp = 64;
/// Handshakes under way at once.
constexpr std::size_t kDialling = 32;

struct Memory {
  double resident;
  double allocated;
};

Memory memory_now() {
  ::malloc_trim(0);
  unsigned long total_pages = 0;
  unsigned long resident_pages = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%lu %lu", &total_pages, &resident_pages) != 2) resident_pages = 0;  // NOLINT(cert-err34-c)
    std::fclose(file);
  }
  const struct mallinfo2 heap = ::mallinfo2();
  return {.resident = static_cast<double>(resident_pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)),
          .allocated = static_cast<double>(heap.uordblks + heap.hblkhd)};
}

/// An end that says nothing.
class IdleSession final : public net::Connection {
 public:
  IdleSession(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
              net::ConnectionOwner& owner)
      : Connection(loop, std::move(socket), peer, std::move(endpoint), owner) {}

 private:
  void handle_data(const AppData&) override {}
};

class Sessions final : public net::SessionFactory {
 public:
  Sessions(const Profile& profile, std::unique_ptr<crypto::Provider> provider)
      : profile_(profile), provider_(std::move(provider)) {}
  Result<net::ConnectionPtr> make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                  net::ConnectionOwner& owner) override {
    Result<std::unique_ptr<Endpoint>> endpoint = profile_.make(Role::Server, *provider_);
    if (!endpoint) return std::unexpected(endpoint.error());
    return net::ConnectionPtr(new net::EchoSession(loop, std::move(socket), peer, std::move(*endpoint), owner, 0));
  }

 private:
  const Profile& profile_;
  std::unique_ptr<crypto::Provider> provider_;
};

class Silent final : public net::ServerEvents {
  void session_established(const net::Connection&) override {}
  void session_rekeyed(const net::Connection&) override {}
  void session_closed(const net::Connection&, const Closed&, const net::error_code&) override {}
  void refused(net::Refusal, std::uint64_t, const net::tcp::endpoint&) override {}
  void accept_failed(const net::error_code&) override {}
};

/// The clients' side: opens sessions until a wanted number stands.
class Clients final : public net::ConnectionOwner {
 public:
  Clients(const Profile& profile, crypto::Provider& provider, const net::tcp::endpoint& server, std::size_t most)
      : profile_(profile), provider_(provider), server_(server) {
    sessions_.reserve(most);
  }

  /// False, with failure() set, if a session could not be had.
  bool open_up_to(std::size_t count) {
    wanted_ = count;
    for (std::size_t i = 0; i < std::min(kDialling, count - started_); ++i) open_one();
    loop_.io().restart();
    while (failure_.empty() && established_ < wanted_ && loop_.io().run_one() != 0) {
    }
    return failure_.empty();
  }
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

 private:
  void open_one() {
    ++started_;
    boost::asio::co_spawn(loop_.executor(), dial_one(), boost::asio::detached);
  }

  boost::asio::awaitable<void> dial_one() {
    net::Socket socket(loop_.executor());
    auto [failed] = co_await socket.async_connect(server_, boost::asio::as_tuple(boost::asio::use_awaitable));
    Result<std::unique_ptr<Endpoint>> endpoint = profile_.make(Role::Client, provider_);
    if (failed || !endpoint) {
      failure_ = failed ? "cannot connect: " + failed.message() : "cannot make a session";
      co_return;
    }
    sessions_.emplace_back(new IdleSession(loop_, std::move(socket), server_, std::move(*endpoint), *this));
    sessions_.back()->start();
  }

  void connection_established(net::Connection&) override {
    ++established_;
    if (started_ < wanted_) open_one();
  }
  void connection_rekeyed(net::Connection&) override {}
  void connection_closed(net::Connection&, const Closed& closed, const net::error_code&) override {
    failure_ = fmt::format("a session ended: {}", name(closed.reason));
  }
  void connection_finished(net::Connection&) override {}

  const Profile& profile_;
  crypto::Provider& provider_;
  net::tcp::endpoint server_;
  net::Loop loop_;
  std::vector<net::ConnectionPtr> sessions_;
  std::size_t wanted_ = 0;
  std::size_t started_ = 0;
  std::size_t established_ = 0;
  std::string failure_;
};

std::expected<SessionsBenchResult, std::string> measure(Clients& clients, std::size_t sessions) {
  if (!clients.open_up_to(kWarmUp)) return std::unexpected(clients.failure());
  const Memory before = memory_now();
  const auto started = std::chrono::steady_clock::now();
  if (!clients.open_up_to(kWarmUp + sessions)) return std::unexpected(clients.failure());
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const Memory after = memory_now();
  const auto count = static_cast<double>(sessions);
  return SessionsBenchResult{.sessions = sessions,
                             .elapsed_sec = elapsed,
                             .resident_per_session = (after.resident - before.resident) / count,
                             .allocated_per_session = (after.allocated - before.allocated) / count};
}

}  // namespace

std::expected<SessionsBenchResult, std::string> bench_sessions(const Profile& profile, std::size_t sessions) {
  constexpr std::size_t kSpare = 64;
  const std::size_t needed = 2 * (sessions + kWarmUp) + kSpare;
  if (const std::size_t limit = descriptor_limit(); needed > limit) {
    return std::unexpected(
        fmt::format("{} sessions need {} descriptors, and {} are allowed (see: ulimit -n)", sessions, needed, limit));
  }
  auto provider = crypto::make_openssl_provider();
  if (!provider) return std::unexpected(provider.error());

  net::ServerOptions options;
  options.listen.port = 0;
  options.limits = {.sessions = needed, .handshakes = needed, .handshakes_per_source = needed};
  options.stop_timeout = std::chrono::milliseconds(0);
  const auto make_factory = [&profile]() -> std::expected<std::unique_ptr<net::SessionFactory>, std::string> {
    auto own = crypto::make_openssl_provider();
    if (!own) return std::unexpected(own.error());
    return std::make_unique<Sessions>(profile, std::move(*own));
  };
  Silent silent;
  auto server = net::Server::open(options, make_factory, silent);
  if (!server) return std::unexpected(server.error());
  std::expected<void, std::string> ran;
  std::jthread thread([&server, &ran] { ran = (*server)->run(); });

  std::expected<SessionsBenchResult, std::string> result;
  {
    Clients clients(profile, **provider, (*server)->local_endpoint(), kWarmUp + sessions);
    result = measure(clients, sessions);
    (*server)->stop();
    thread.join();
  }
  if (!ran) return std::unexpected(ran.error());
  return result;
}

}  // namespace qsp::cli
