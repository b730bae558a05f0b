#include "bench/sessions.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/try.hpp"
#include "bench/child.hpp"
#include "bench/clients.hpp"
#include "bench/ends.hpp"
#include "crypto/routed/provider.hpp"
#include "net/echo.hpp"
#include "net/server.hpp"
#include "rc155/session.hpp"

namespace qsp::bench {
namespace {

/// Sessions that come first, so that pools and libraries have what they keep before anything is measured.
constexpr std::size_t kWarmUp = 64;

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

EndMemory growth(const Memory& before, const Memory& after, std::size_t sessions) {
  const auto count = static_cast<double>(sessions);
  return {.resident = (after.resident - before.resident) / count,
          .allocated = (after.allocated - before.allocated) / count};
}

/// What one thread makes ends with.
struct Maker {
  MakeEnd make;
  std::shared_ptr<void> kept;  ///< what `make` uses

  static Outcome<Maker> of(Protocol protocol, const KeyPair& keys, Role role) {
    if (protocol == Protocol::Rc155) {
      QSP_TRY(auto provider, crypto::make_provider());
      const std::shared_ptr<crypto::Provider> kept = std::move(provider);
      return Maker{[role, crypto = kept.get()] { return rc155::dangerous_make_session(role, *crypto); }, kept};
    }
    QSP_TRY(auto ends, Ends::make(keys));
    const std::shared_ptr<Ends> kept = std::move(ends);
    const auto make = [role, made = kept.get()]() -> Result<std::unique_ptr<Endpoint>> {
      QSP_TRY(auto channel, role == Role::Client ? made->client(net::Loop::now()) : made->server(net::Loop::now()));
      return channel;
    };
    return Maker{make, kept};
  }
};

class Factory final : public net::SessionFactory {
 public:
  explicit Factory(Maker maker) : maker_(std::move(maker)) {}
  Result<net::ConnectionPtr> make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                  net::ConnectionOwner& owner) override {
    QSP_TRY(std::unique_ptr<Endpoint> endpoint, maker_.make());
    return net::ConnectionPtr(new net::EchoConnection(loop, std::move(socket), peer, std::move(endpoint), owner, 0));
  }

 private:
  Maker maker_;
};

class Counter final : public net::ServerEvents {
 public:
  [[nodiscard]] std::size_t established() const noexcept { return established_; }

 private:
  void session_established(const net::Connection&) override { ++established_; }
  void session_rekeyed(const net::Connection&) override {}
  void session_closed(const net::Connection&, const Closed&, const net::error_code&) override {}
  void refused(net::Refusal, std::uint64_t, const net::tcp::endpoint&) override {}
  void accept_failed(const net::error_code&) override {}

  std::atomic<std::size_t> established_ = 0;
};

/// What the clients' process tells the server's: after the warm-up, and at the end.
struct ClientsReport {
  double elapsed_sec = 0;
  EndMemory memory{};
  std::array<char, 200> failure{};  ///< text with a zero behind it; empty: none
};

/// The two processes talk over a socket that keeps messages apart: the port, a report, any byte, a report.
template <class T>
bool tell(int socket, const T& message) {
  return ::send(socket, &message, sizeof message, MSG_NOSIGNAL) == sizeof message;
}
template <class T>
bool hear(int socket, T& message) {
  return ::recv(socket, &message, sizeof message, 0) == sizeof message;
}

ClientsReport failed(const std::string& why) {
  ClientsReport report;
  std::copy_n(why.begin(), std::min(why.size(), report.failure.size() - 1), report.failure.begin());
  return report;
}

/// The clients' process. Returns its exit code.
int be_the_clients(int socket, Protocol protocol, const KeyPair& keys, std::size_t sessions) {
  std::uint16_t port = 0;
  std::uint8_t go = 0;
  if (!hear(socket, port)) return 1;
  const auto maker = Maker::of(protocol, keys, Role::Client);
  if (!maker) return tell(socket, failed(maker.error())) ? 1 : 2;
  const net::tcp::endpoint server(boost::asio::ip::address_v4::loopback(), port);
  Clients clients(maker->make, server, kWarmUp + sessions);
  if (!clients.open_up_to(kWarmUp)) return tell(socket, failed(clients.failure())) ? 1 : 2;
  if (!tell(socket, ClientsReport{}) || !hear(socket, go)) return 1;

  const Memory before = memory_now();
  const auto started = std::chrono::steady_clock::now();
  if (!clients.open_up_to(kWarmUp + sessions)) return tell(socket, failed(clients.failure())) ? 1 : 2;
  ClientsReport report;
  report.elapsed_sec = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  report.memory = growth(before, memory_now(), sessions);
  // The sessions stay until the server has been measured too.
  return tell(socket, report) && hear(socket, go) ? 0 : 1;
}

/// The next report, or why there is none.
Outcome<ClientsReport> next_report(int socket, const Counter& counter, const Progress& progress) {
  ClientsReport report;
  pollfd wait{.fd = socket, .events = POLLIN, .revents = 0};
  constexpr int kSecond = 1000;
  while (::poll(&wait, 1, kSecond) == 0) progress(counter.established());
  if (!hear(socket, report)) return std::unexpected("the clients' process has gone away");
  if (report.failure.front() != '\0') return std::unexpected(std::string("the clients: ") + report.failure.data());
  return report;
}

Outcome<SessionsResult> measure(int socket, const net::Server& server, std::size_t sessions, const Counter& counter,
                                const Progress& progress) {
  if (!tell(socket, server.local_endpoint().port())) return std::unexpected("the clients' process has gone away");
  QSP_TRY(next_report(socket, counter, [](std::size_t) {}));
  const Memory before = memory_now();
  if (!tell(socket, std::uint8_t{1})) return std::unexpected("the clients' process has gone away");
  QSP_TRY(const auto report, next_report(socket, counter, progress));
  return SessionsResult{.sessions = sessions,
                        .elapsed_sec = report.elapsed_sec,
                        .server = growth(before, memory_now(), sessions),
                        .client = report.memory};
}

Outcome<void> allow_descriptors(std::size_t sessions) {
  constexpr std::size_t kSpare = 64;
  const std::size_t needed = sessions + kWarmUp + kSpare;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < needed && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
  }
  if (files.rlim_cur >= needed) return {};
  return std::unexpected(
      fmt::format("{} sessions need {} open files in each process, and {} are allowed: ask for fewer sessions, or "
                  "raise the hard limit "
                  "(ulimit -Hn)",
                  sessions, needed, files.rlim_cur));
}

}  // namespace

Outcome<SessionsResult> bench_sessions(Protocol protocol, std::size_t sessions, const Progress& progress) {
  QSP_TRY(allow_descriptors(sessions));
  QSP_TRY(const auto keys, KeyPair::make());
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return std::unexpected("there is no way to talk to a second process");
  }
  Descriptor here(sockets[0]);
  std::optional<Descriptor> there(sockets[1]);
  auto clients = Child::copy([&] {
    here = Descriptor();
    return be_the_clients(there->get(), protocol, keys, sessions);
  });
  there.reset();
  if (!clients) return std::unexpected(clients.error());

  const std::size_t most = sessions + kWarmUp;
  net::ListenOptions options;
  options.listen.port = 0;
  options.limits = {.sessions = most, .handshakes = most, .handshakes_per_source = most};
  options.stop_timeout = std::chrono::milliseconds(0);
  const auto make_factory = [&]() -> Outcome<std::unique_ptr<net::SessionFactory>> {
    QSP_TRY(auto maker, Maker::of(protocol, keys, Role::Server));
    return std::make_unique<Factory>(std::move(maker));
  };
  Counter counter;
  QSP_TRY(const auto server, net::Server::open(options, make_factory, counter));
  Outcome<void> ran;
  std::jthread thread([&] { ran = server->run(); });
  auto result = measure(here.get(), *server, sessions, counter, progress);
  here = Descriptor();
  clients = std::unexpected(std::string());  // ends its process, if it has not ended by itself
  server->stop();
  thread.join();
  if (!ran) return std::unexpected(ran.error());
  return result;
}

}  // namespace qsp::bench
