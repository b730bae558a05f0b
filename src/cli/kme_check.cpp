#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <utility>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/kme.hpp"
#include "cli/kme_sides.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "kme/check/check.hpp"
#include "text/escape.hpp"

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

}  // namespace

int run_kme_check(const KmeCheckOptions& options, bool json) {
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
  kme::check::CheckOptions checked{.master = master_side(options), .slave_sae_id = options.slave_sae_id, .slave = {}};
  if (!options.slave_url.empty()) checked.slave = slave_side(options);
  if (const auto done = kme::check::probe(checked, report); !done) {
    print_error(done.error());
    return kFailed;
  }
  const auto [passed, broken, not_testable] = counts;
  if (json) {
    print_json({{"passed", passed}, {"failed", broken}, {"not_testable", not_testable}, {"lines", std::move(lines)}});
  } else {
    print_out("{} passed, {} failed, {} not testable\n", passed, broken, not_testable);
  }
  return broken == 0 ? kOk : kFailed;
}

}  // namespace qsp::cli
