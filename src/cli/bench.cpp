#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/app.hpp"
#include "cli/bench_rekey.hpp"
#include "cli/bench_sessions.hpp"
#include "cli/json.hpp"
#include "cli/profile.hpp"
#include "cli/text.hpp"
#include "qsp/openssl.hpp"

namespace qsp::cli {
namespace {

struct BenchOptions {
  std::string profile = "1.0";
  RekeyBenchParameters rekey;
  std::size_t sessions = 1000;
  bool insecure = false;  ///< taken, and not needed: nobody else's data is at stake
};

int stop(int code, std::string_view text) {
  print_error(text);
  return code;
}

int bench_rekey(const Context& context, const BenchOptions& options) {
  if (const auto profile = find_profile(options.profile); !profile) return stop(kUsage, profile.error());
  const auto provider = crypto::make_openssl_provider();
  if (!provider) return stop(kFailed, provider.error());
  const Result<RekeyBenchResult> result = bench_rc155_rekey(**provider, options.rekey);
  if (!result) return stop(kFailed, result.error().where);

  const double ratio = result->total_ns_per_rekey / result->primitives_ns_per_rekey;
  if (context.json) {
    print_json({{"loops", result->loops},
                {"warmup", result->warmup},
                {"elapsed_sec", result->elapsed_sec},
                {"ops_per_sec", result->ops_per_sec},
                {"final_epoch", result->final_epoch},
                {"total_ns_per_rekey", result->total_ns_per_rekey},
                {"primitives_ns_per_rekey", result->primitives_ns_per_rekey},
                {"ratio", ratio}});
    return kOk;
  }
  fmt::print("loops: {}\nwarmup: {}\nelapsed_sec: {:.6f}\nops_per_sec: {:.1f} rekey/s\nfinal_epoch: {}\n",
             result->loops, result->warmup, result->elapsed_sec, result->ops_per_sec, result->final_epoch);
  fmt::print("both ends: {:.0f} ns per rekey; the primitives alone: {:.0f} ns; ratio {:.2f}\n",
             result->total_ns_per_rekey, result->primitives_ns_per_rekey, ratio);
  return kOk;
}

int bench_sessions(const Context& context, const BenchOptions& options) {
  const auto profile = find_profile(options.profile);
  if (!profile) return stop(kUsage, profile.error());
  const auto result = bench_sessions(**profile, options.sessions);
  if (!result) return stop(kFailed, result.error());

  if (context.json) {
    print_json({{"sessions", result->sessions},
                {"elapsed_sec", result->elapsed_sec},
                {"resident_bytes_per_session", result->resident_per_session},
                {"allocated_bytes_per_session", result->allocated_per_session},
                {"resident_bytes_per_end", result->resident_per_session / 2},
                {"allocated_bytes_per_end", result->allocated_per_session / 2}});
    return kOk;
  }
  fmt::print("sessions: {} idle, both ends in this process, established in {:.3f} s\n", grouped(result->sessions),
             result->elapsed_sec);
  fmt::print("resident: {:.0f} bytes per session, {:.0f} per end\n", result->resident_per_session,
             result->resident_per_session / 2);
  fmt::print("allocated: {:.0f} bytes per session, {:.0f} per end\n", result->allocated_per_session,
             result->allocated_per_session / 2);
  fmt::print("(the kernel's memory for sockets is not counted)\n");
  return kOk;
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  CLI::App* const verb = app.add_subcommand("bench", "measure on this machine, without a peer");
  verb->require_subcommand(1);
  const auto options = std::make_shared<BenchOptions>();

  CLI::App* const rekey = verb->add_subcommand("rekey", "rekeys per second, both ends in memory");
  rekey->add_option("--profile", options->profile, "protocol to measure")->capture_default_str();
  rekey->add_option("--loops", options->rekey.loops, "rekeys to measure")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  rekey->add_option("--warmup", options->rekey.warmup, "rekeys before them")->capture_default_str();
  rekey->footer("Example:\n  qsp bench rekey --profile rc155 --loops 2000 --warmup 50");
  rekey->callback(
      [options, &context] { context.action = [options, &context] { return bench_rekey(context, *options); }; });

  CLI::App* const sessions = verb->add_subcommand("sessions", "memory of an idle session, over loopback sockets");
  sessions->add_option("--profile", options->profile, "protocol to measure")->capture_default_str();
  sessions->add_flag("--insecure", options->insecure, "accepted for symmetry; nothing leaves this machine");
  sessions->add_option("--sessions", options->sessions, "sessions to open")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  sessions->footer("Example:\n  qsp bench sessions --profile rc155 --sessions 1000");
  sessions->callback(
      [options, &context] { context.action = [options, &context] { return bench_sessions(context, *options); }; });
}

}  // namespace qsp::cli
