#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <utility>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/kme/kme.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "text/escape.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

std::string_view name(kme::check::Verdict verdict) noexcept {
  switch (verdict) {
    case kme::check::Verdict::Pass:
      return "pass";
    case kme::check::Verdict::Fail:
      return "FAIL";
    case kme::check::Verdict::NotTestable:
      return "not testable";
  }
  return "?";
}

/// TLS settings that are not the slave's own are the master's.
kme::check::CheckedSide whole_slave(const kme::check::CheckedSide& master, kme::check::CheckedSide slave) {
  slave.tls.authorities = master.tls.authorities;
  slave.tls.revoked = master.tls.revoked;
  slave.tls.allow_tls_1_2 = master.tls.allow_tls_1_2;
  return slave;
}

}  // namespace

int run_kme_check(const KmeSides& sides, bool json) {
  std::size_t counts[3] = {};
  boost::json::array lines;
  const auto report = [&](const kme::check::CheckLine& line) {
    ++counts[static_cast<std::size_t>(line.verdict)];
    const std::string seen = text::terminal_escape(line.seen);
    if (json) {
      lines.push_back(boost::json::object{
          {"clause", line.clause}, {"rule", line.rule}, {"verdict", name(line.verdict)}, {"seen", seen}});
      return;
    }
    print_out("{:<12} {:<4} {}{}{}\n", name(line.verdict), line.clause, line.rule, seen.empty() ? "" : ": ", seen);
    flush_out();
  };
  kme::check::CheckOptions checked{.master = sides.master, .slave_sae_id = sides.slave.sae_id, .slave = {}};
  if (!sides.slave.url.empty()) checked.slave = whole_slave(sides.master, sides.slave);
  if (const auto done = kme::check::probe(checked, report); !done) return failed(done.error());
  const auto [passed, broken, not_testable] = counts;
  if (json) {
    print_json({{"passed", passed}, {"failed", broken}, {"not_testable", not_testable}, {"lines", std::move(lines)}});
  } else {
    print_out("{} passed, {} failed, {} not testable\n", passed, broken, not_testable);
  }
  return broken == 0 ? kOk : kFailed;
}

int run_kme_load(const kme::check::LoadOptions& options, bool json) {
  kme::check::LoadOptions whole = options;
  whole.slave = whole_slave(options.master, options.slave);
  const auto result = kme::check::load(whole);
  if (!result) return failed(text::terminal_escape(result.error()));
  const double rate = static_cast<double>(result->pairs) / result->elapsed_sec;
  print_result(json,
               {{"pairs", result->pairs},
                {"pairs_per_sec", rate},
                {"elapsed_sec", result->elapsed_sec},
                {"refused", result->refused},
                {"lost", result->lost},
                {"enc_median_ms", result->enc_median_ms},
                {"enc_p99_ms", result->enc_p99_ms},
                {"dec_median_ms", result->dec_median_ms},
                {"dec_p99_ms", result->dec_p99_ms}},
               fmt::format("{} pairs in {:.2f} s: {:.0f} pairs/s, each equal at both ends\n"
                           "enc_keys {:.1f} ms (median), {:.1f} ms (99 %); dec_keys {:.1f} ms, {:.1f} ms\n"
                           "{} calls were refused with 503 and made again; {} answers were lost\n",
                           text::grouped(result->pairs), result->elapsed_sec, rate, result->enc_median_ms,
                           result->enc_p99_ms, result->dec_median_ms, result->dec_p99_ms,
                           text::grouped(result->refused), text::grouped(result->lost)));
  return result->lost == 0 ? kOk : kFailed;
}

}  // namespace qsp::cli
