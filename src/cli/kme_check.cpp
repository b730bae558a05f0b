#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <utility>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/kme.hpp"
#include "cli/text.hpp"
#include "kme/check.hpp"
#include "kme/load.hpp"

namespace qsp::cli {
namespace {

std::string_view name(kme::Verdict verdict) noexcept {
  switch (verdict) {
    case kme::Verdict::Pass:
      return "pass";
    case kme::Verdict::Fail:
      return "FAIL";
    case kme::Verdict::NotTestable:
      return "not testable";
  }
  return "?";
}

kme::CheckOptions read(const KmeCheckOptions& options) {
  kme::CheckOptions made;
  made.master = {.url = options.url,
                 .tls = {.certificate = options.certificate,
                         .key = options.key,
                         .authorities = options.authorities,
                         .revoked = {},
                         .allow_tls_1_2 = options.allow_tls_1_2},
                 .server_name = options.server_name,
                 .sae_id = options.sae_id};
  made.slave_sae_id = options.slave_sae_id;
  if (options.slave_url.empty()) return made;
  made.slave = made.master;
  made.slave->url = options.slave_url;
  made.slave->tls.certificate = options.slave_certificate;
  made.slave->tls.key = options.slave_key;
  made.slave->server_name = options.slave_server_name;
  made.slave->sae_id = options.slave_sae_id;
  return made;
}

}  // namespace

int run_kme_check(const KmeCheckOptions& options, bool json) {
  std::size_t counts[3] = {};
  boost::json::array lines;
  const auto report = [&](const kme::CheckLine& line) {
    ++counts[static_cast<std::size_t>(line.verdict)];
    const std::string seen = escape(line.seen);
    if (json) {
      lines.push_back(boost::json::object{
          {"clause", line.clause}, {"rule", line.rule}, {"verdict", name(line.verdict)}, {"seen", seen}});
      return;
    }
    fmt::print("{:<12} {:<4} {}{}{}\n", name(line.verdict), line.clause, line.rule, seen.empty() ? "" : ": ", seen);
    std::fflush(stdout);
  };
  if (const auto done = kme::check(read(options), report); !done) {
    print_error(done.error());
    return kFailed;
  }
  const auto [passed, broken, not_testable] = counts;
  if (json) {
    print_json({{"passed", passed}, {"failed", broken}, {"not_testable", not_testable}, {"lines", std::move(lines)}});
  } else {
    fmt::print("{} passed, {} failed, {} not testable\n", passed, broken, not_testable);
  }
  return broken == 0 ? kOk : kFailed;
}

int run_kme_load(const KmeLoadOptions& options, bool json) {
  const kme::CheckOptions sides = read(options.sides);
  const auto result = kme::load({.master = sides.master,
                                 .slave = *sides.slave,
                                 .pairs = options.pairs,
                                 .concurrency = options.concurrency,
                                 .keys_per_call = options.keys_per_call});
  if (!result) {
    print_error(escape(result.error()));
    return kFailed;
  }
  const double rate = static_cast<double>(result->pairs) / result->elapsed_sec;
  if (json) {
    print_json({{"pairs", result->pairs},
                {"pairs_per_sec", rate},
                {"elapsed_sec", result->elapsed_sec},
                {"refused", result->refused},
                {"lost", result->lost},
                {"enc_median_ms", result->enc_median_ms},
                {"enc_p99_ms", result->enc_p99_ms},
                {"dec_median_ms", result->dec_median_ms},
                {"dec_p99_ms", result->dec_p99_ms}});
  } else {
    fmt::print("{} pairs in {:.2f} s: {:.0f} pairs/s, each equal at both ends\n", grouped(result->pairs),
               result->elapsed_sec, rate);
    fmt::print("enc_keys {:.1f} ms (median), {:.1f} ms (99 %); dec_keys {:.1f} ms, {:.1f} ms\n", result->enc_median_ms,
               result->enc_p99_ms, result->dec_median_ms, result->dec_p99_ms);
    fmt::print("{} calls were refused with 503 and made again; {} answers were lost\n", grouped(result->refused),
               grouped(result->lost));
  }
  return result->lost == 0 ? kOk : kFailed;
}

}  // namespace qsp::cli
