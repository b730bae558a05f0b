#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bench/report.hpp"
#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "crypto/routed/provider.hpp"
#include "qsp/endpoint.hpp"
#include "text/progress.hpp"
#include "text/terminal.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

constexpr std::uint64_t kMostFrames = 500'000;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;

struct BenchOptions {
  std::string profile = "1.0";
  bench::RekeyBenchParameters rekey;
  std::uint64_t handshakes = 2000;
  std::vector<std::size_t> sizes{64, 1024, 4096, 16'384, 65'536};
  std::uint64_t sealed_bytes = std::uint64_t{256} << 20;
  std::size_t sessions = 1000;
  std::uint64_t bytes = std::uint64_t{1} << 30;
  bool only_pipes = false;
  double each = 0.1;      ///< seconds of an operation on a library
  bool insecure = false;  ///< taken, and not needed: nobody else's data is at stake
};

template <class Measured>
int print(const Measured& result, bool json) {
  const bench::Report report = bench::report(result);
  print_result(json, report.json, report.text);
  return kOk;
}

/// Prints what was measured, or why nothing was.
template <class Outcome>
int print_outcome(const Outcome& outcome, bool json) {
  return outcome ? print(*outcome, json) : failed(outcome.error());
}

int run_seal(bool json, const BenchOptions& options) {
  std::vector<bench::SealResult> results;
  for (const std::size_t size : options.sizes) {
    const auto loops = std::clamp<std::uint64_t>(options.sealed_bytes / size, 1, kMostFrames);
    const auto result = bench::bench_seal(size, loops);
    if (!result) return failed(result.error());
    results.push_back(*result);
  }
  return print(results, json);
}

int run_loopback(bool json, const BenchOptions& options) {
  // First, while this process has one thread.
  const auto pipes = bench::bench_pipes("/proc/self/exe", options.bytes);
  if (!pipes) return failed(pipes.error());
  bench::LoopbackAndPipes both{.threads = std::nullopt, .pipes = *pipes};
  if (!options.only_pipes) {
    const auto threads = bench::bench_loopback(options.bytes);
    if (!threads) return failed(threads.error());
    both.threads = *threads;
  }
  return print(both, json);
}

int run_rekey(bool json, const BenchOptions& options) {
  if (options.profile == "1.0") return print_outcome(bench::bench_rekey(options.rekey.loops), json);
  const auto provider = crypto::make_provider();
  if (!provider) return failed(provider.error());
  const auto result = bench::bench_rc155_rekey(**provider, options.rekey);
  if (!result) return failed(result.error().where);
  return print(*result, json);
}

int run_primitives(bool json, const BenchOptions& options) {
  text::Progress progress(write_err);
  auto result = bench::bench_libraries(
      from_seconds(options.each), [&progress](std::string_view operation) { progress.say(std::string(operation)); });
  if (!result) return failed(result.error());
  return print(*result, json);
}

int run_sessions(bool json, const BenchOptions& options) {
  const auto protocol = options.profile == "1.0" ? bench::Protocol::Qsp1 : bench::Protocol::Rc155;
  // Without a thread: this process must have one alone, and its memory is measured.
  text::ProgressLine line(text::is_terminal(STDERR_FILENO), text::ProgressLine::Clock::now());
  const auto progress = [&line, all = options.sessions](std::size_t established) {
    line.say(fmt::format("{} of {} sessions", text::grouped(std::min(established, all)), text::grouped(all)));
    write_err(line.show(text::ProgressLine::Clock::now()));
  };
  const auto result = bench::bench_sessions(protocol, options.sessions, progress);
  write_err(line.clear());
  return print_outcome(result, json);
}

void add_profile(Command& verb, BenchOptions& options) {
  verb.add_checked("--profile", options.profile, "protocol to measure: 1.0 or rc155", one_of({"1.0", "rc155"}));
}

Command& add_handshake(Command& bench, BenchOptions& options) {
  Command* const verb =
      bench.add_subcommand("handshake", "handshakes per second, compared with TLS 1.3 and the primitives");
  verb->add_checked("--loops", options.handshakes, "handshakes to measure, and as many of each yardstick",
                    range(1, 100'000'000));
  set_help(*verb, {.examples = {"qsp bench handshake", "qsp bench handshake --loops 500 --json"}});
  return *verb;
}

Command& add_primitives(Command& bench, BenchOptions& options) {
  Command* const verb =
      bench.add_subcommand("primitives", "every cryptographic operation, on each library of this program side by side");
  verb->add_option("--time", options.each, "processor time for each operation on each library")
      ->check(is_time(std::chrono::milliseconds(1), std::chrono::minutes(1)))
      ->type_name("TIME")
      ->default_str("100ms");
  set_help(*verb,
           {.notes = "Marks the library that qsp takes for each, and where it is the slower one on this machine.\n"
                     "With --provider openssl or awslc it measures that library alone.",
            .examples = {"qsp bench primitives", "qsp bench primitives --time 1s --json"}});
  return *verb;
}

Command& add_seal(Command& bench, BenchOptions& options) {
  Command* const verb = bench.add_subcommand("seal", "frames sealed and opened, compared with AES-256-GCM and TLS 1.3");
  verb->add_option("--size", options.sizes, "bytes of payload in a frame; may be repeated")
      ->check(is_size(1, Endpoint::kMaxPlaintext))
      ->type_name("SIZE")
      ->default_str("64 1K 4K 16K 64K");
  verb->add_option("--bytes", options.sealed_bytes,
                   fmt::format("payload to seal at each size, in at most {} frames", text::grouped(kMostFrames)))
      ->check(is_size(1, kMostBytes))
      ->type_name("SIZE")
      ->default_str(text::size_text(options.sealed_bytes));
  set_help(*verb, {.examples = {"qsp bench seal", "qsp bench seal --size 16K --size 64K --bytes 1G"}});
  return *verb;
}

Command& add_rekey(Command& bench, BenchOptions& options) {
  Command* const verb =
      bench.add_subcommand("rekey", "rekeys per second, both ends in memory, compared with the primitives");
  add_profile(*verb, options);
  verb->add_checked("--loops", options.rekey.loops, "rekeys to measure", range(1, 100'000'000));
  verb->add_checked("--warmup", options.rekey.warmup, "rekeys before the measured ones (rc155)", range(0, 100'000'000));
  set_help(*verb,
           {.examples = {"qsp bench rekey --loops 10000", "qsp bench rekey --profile rc155 --loops 2000 --warmup 50"}});
  return *verb;
}

Command& add_sessions(Command& bench, BenchOptions& options) {
  Command* const verb = bench.add_subcommand("sessions", "memory of an idle session, over loopback sockets");
  add_profile(*verb, options);
  verb->add_flag("--insecure", options.insecure, "accepted for symmetry; nothing leaves this machine");
  verb->add_checked("--sessions", options.sessions, "sessions to have open at once", range(1, 1'000'000));
  set_help(*verb,
           {.examples = {"qsp bench sessions --sessions 10000", "qsp bench sessions --profile rc155 --sessions 1000"}});
  return *verb;
}

Command& add_loopback(Command& bench, BenchOptions& options) {
  Command* const verb =
      bench.add_subcommand("loopback", "bulk data over loopback TCP, compared with TLS 1.3 and stunnel");
  verb->add_option("--bytes", options.bytes, "bytes per transfer; there are three of each kind")
      ->check(is_size(1, kMostBytes))
      ->type_name("SIZE")
      ->default_str(text::size_text(options.bytes));
  verb->add_flag("--only-pipes", options.only_pipes,
                 "only the programs, from pipe to pipe, compared with stunnel; not the threads");
  set_help(*verb, {.examples = {"qsp bench loopback", "qsp bench loopback --bytes 4G --json"}});
  return *verb;
}

}  // namespace

void add_bench(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("bench", "measure on this machine, without a peer");
  verb->require_subcommand(1);
  set_help(*verb, {.notes = "For a single command, run qsp bench COMMAND --help.",
                   .examples = {"qsp bench handshake", "qsp bench seal --json"}});
  const auto options = std::make_shared<BenchOptions>();
  const auto act = [options, &context](Command& measured, auto run) {
    measured.callback([options, &context, run] {
      context.action = [options, &context, run] { return run(context.json, *options); };
    });
  };
  act(add_handshake(*verb, *options), [](bool json, const BenchOptions& given) {
    return print_outcome(bench::bench_handshake(given.handshakes), json);
  });
  act(add_primitives(*verb, *options), run_primitives);
  act(add_seal(*verb, *options), run_seal);
  act(add_rekey(*verb, *options), run_rekey);
  act(add_sessions(*verb, *options), run_sessions);
  act(add_loopback(*verb, *options), run_loopback);
}

}  // namespace qsp::cli
