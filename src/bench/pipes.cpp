#include "bench/pipes.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "base/try.hpp"
#include "bench/pipes_programs.hpp"
#include "bench/pipes_traffic.hpp"
#include "bench/tls.hpp"

namespace qsp::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{600};

enum class Direction : std::uint8_t { Up, Down };
enum class Behind : std::uint8_t { Tcp, Command };

struct Way {
  Direction direction;
  Behind behind;
  const char* name;
};

constexpr std::array kWays{
    Way{Direction::Up, Behind::Tcp, "up, --forward"}, Way{Direction::Down, Behind::Tcp, "down, --forward"},
    Way{Direction::Up, Behind::Command, "up, --exec"}, Way{Direction::Down, Behind::Command, "down, --exec"}};

struct Cost {
  double seconds;
  double cpu;
};

/// What stands behind the server: a program of this process's own, or a command that the daemon starts.
struct ServersEnd {
  ServerEnd end;
  std::optional<Child> peer;
};

Outcome<ServersEnd> behind_server(const Way& way, std::uint64_t bytes) {
  if (way.behind == Behind::Command) {
    // dd runs without a shell in either daemon, and moves 64 KiB at a time.
    const std::string command =
        way.direction == Direction::Up
            ? "/bin/dd of=/dev/null bs=64k status=none"
            : fmt::format("/bin/dd if=/dev/zero bs=64k iflag=count_bytes count={} status=none", bytes);
    return ServersEnd{{.forward = 0, .command = command}, std::nullopt};
  }
  QSP_TRY(const auto listener, ListeningSocket::make());
  QSP_TRY(auto peer, way.direction == Direction::Up ? serve_sink(listener, bytes) : serve_zeros(listener, bytes));
  return ServersEnd{{.forward = listener.port, .command = {}}, std::move(peer)};
}

/// One transfer through a fresh server and client.
Outcome<Cost> transfer(const Daemon& daemon, const Way& way, std::uint64_t bytes) {
  QSP_TRY(auto behind, behind_server(way, bytes));
  QSP_TRY(auto server, daemon.serve(behind.end));
  auto input = PipeHandles::make();
  auto output = PipeHandles::make();
  if (!input || !output) return std::unexpected("no pipe can be made");

  const bool up = way.direction == Direction::Up;
  const auto start = Clock::now();
  QSP_TRY(auto client, daemon.connect(server.port, input->out.get(), output->in.get()));
  // Where data comes down the client's input stays open until all of it has come.
  auto producer = up ? produce(input->in, bytes) : Outcome<Child>(std::unexpected(std::string()));
  auto consumer = up ? consume(output->out, output->out, 0) : consume(output->out, input->in, bytes);
  *input = PipeHandles();
  *output = PipeHandles();
  if (!client.ends(kPatience)) return std::unexpected(fmt::format("{}: the client does not end", way.name));
  const double cpu = client.cpu_seconds() + server.child.cpu_seconds();
  const bool came = consumer && consumer->succeeds(kPatience) && (!producer || producer->succeeds(kPatience)) &&
                    (!behind.peer || behind.peer->succeeds(kPatience));
  const Cost cost{.seconds = std::chrono::duration<double>(Clock::now() - start).count(), .cpu = cpu};
  if (!came) return std::unexpected(fmt::format("{}: not all of the data came", way.name));
  return cost;
}

/// Transfers without data, whose cost is that of the starts, and with it.
struct Costs {
  std::vector<Cost> starts, whole;
};

Outcome<void> measure(const Daemon& daemon, const Way& way, std::uint64_t bytes, Costs& costs) {
  QSP_TRY(auto start, transfer(daemon, way, 0));
  QSP_TRY(auto whole, transfer(daemon, way, bytes));
  costs.starts.push_back(start);
  costs.whole.push_back(whole);
  return {};
}

double median(const std::vector<Cost>& costs, double Cost::* part) {
  std::vector<double> values;
  for (const Cost& cost : costs) values.push_back(cost.*part);
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::optional<PipePace> pace(const Costs& costs, std::uint64_t bytes) {
  if (costs.whole.empty()) return std::nullopt;
  const double seconds = median(costs.whole, &Cost::seconds) - median(costs.starts, &Cost::seconds);
  const double cpu = median(costs.whole, &Cost::cpu) - median(costs.starts, &Cost::cpu);
  if (seconds <= 0 || cpu <= 0) return std::nullopt;
  return PipePace{.bytes_per_second = static_cast<double>(bytes) / seconds,
                  .cpu_per_gigabyte = cpu * 1e9 / static_cast<double>(bytes)};
}

}  // namespace

Outcome<PipesResult> bench_pipes(const std::string& program, std::uint64_t bytes) {
  QSP_TRY(const auto folder, ScratchFolder::make());
  QSP_TRY(const auto qsp, make_qsp_daemon(program, folder));
  QSP_TRY(const auto credential, tls::Credential::make("bench"));
  const auto stunnel = make_stunnel_daemon(credential, folder);

  PipesResult result{.bytes = bytes,
                     .rounds = kTransfers,
                     .rows = {},
                     .stunnel = stunnel ? stunnel->version : "",
                     .why_no_stunnel = stunnel ? "" : stunnel.error()};
  for (const Way& way : kWays) {
    Costs own;
    Costs other;
    for (std::uint64_t round = 0; round < kTransfers; ++round) {
      if (auto done = measure(*qsp, way, bytes, own); !done) return std::unexpected("qsp, " + done.error());
      if (!stunnel) continue;
      if (auto done = measure(*stunnel->daemon, way, bytes, other); !done) {
        return std::unexpected("stunnel, " + done.error());
      }
    }
    result.rows.push_back({.name = way.name, .qsp = pace(own, bytes), .stunnel = pace(other, bytes)});
  }
  return result;
}

}  // namespace qsp::bench
