#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/kme/kme.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "text/escape.hpp"

namespace qsp::cli {

int run_kme_status(const KmeStatusOptions& options, bool json) {
  const auto status = kme::admin_status(options.config, from_seconds(options.wait_s));
  if (!status) return failed(status.error());
  print_result(json, *status, kme::describe_status(*status));
  if (!json && !kme::has_links(*status)) return failed("the KME's answer has no links");
  if (options.wait_s == 0) return kOk;
  const auto still = kme::lacks(*status);
  return still ? failed(fmt::format("waited {} s in vain: {}", options.wait_s, *still)) : kOk;
}

int run_kme_inject(const KmeInjectOptions& options, bool json) {
  const auto faults = kme::inject_faults(options.config, options.wishes);
  if (!faults) return failed(faults.error());
  print_result(json, *faults, fmt::format("faults now: {}\n", boost::json::serialize(*faults)));
  return kOk;
}

int run_kme_import(const kme::link::KeyImport& keys, bool json) {
  const auto imported = kme::link::import_keys(keys);
  if (!imported) return failed(imported.error());
  print_result(json, {{"added", imported->added}, {"left", imported->left}},
               fmt::format("{} keys brought to link {}\n", imported->added, text::terminal_escape(keys.link)));
  if (imported->left == 0) return kOk;
  return failed(fmt::format("{} keys had no room in the pool; bring the file again later", imported->left));
}

}  // namespace qsp::cli
