#include "kme/check/load.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/kme.hpp"
#include "cli/kme_sides.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "text/escape.hpp"
#include "text/units.hpp"

namespace qsp::cli {

int run_kme_load(const KmeLoadOptions& options, bool json) {
  const auto result = kme::check::load({.master = master_side(options.sides),
                                        .slave = slave_side(options.sides),
                                        .pairs = options.pairs,
                                        .concurrency = options.concurrency,
                                        .keys_per_call = options.keys_per_call});
  if (!result) {
    print_error(text::terminal_escape(result.error()));
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
    print_out("{} pairs in {:.2f} s: {:.0f} pairs/s, each equal at both ends\n", text::grouped(result->pairs),
              result->elapsed_sec, rate);
    print_out("enc_keys {:.1f} ms (median), {:.1f} ms (99 %); dec_keys {:.1f} ms, {:.1f} ms\n", result->enc_median_ms,
              result->enc_p99_ms, result->dec_median_ms, result->dec_p99_ms);
    print_out("{} calls were refused with 503 and made again; {} answers were lost\n", text::grouped(result->refused),
              text::grouped(result->lost));
  }
  return result->lost == 0 ? kOk : kFailed;
}

}  // namespace qsp::cli
