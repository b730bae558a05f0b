#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/app.hpp"
#include "cli/e91/processes.hpp"
#include "cli/json.hpp"
#include "cli/kme/kme.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "files/unfinished.hpp"
#include "lab/e91.hpp"
#include "lab/kme.hpp"

namespace qsp::cli {
namespace {

/// Makes a laboratory of `what`, and says that it stands or why it does not.
template <class Make>
int run_lab(const Make& make, const std::string& folder, std::uint16_t port, std::string_view what, bool json) {
  files::Unfinished unfinished;
  const auto made = make(folder, port);
  if (!made) return failed(made.error());
  unfinished.keep();
  print_result(json, {{"folder", folder}, {"simulated", true}},
               fmt::format("A laboratory of {} stands in {}; its README.md says how to run it.\n"
                           "Its keys are simulated: they give no quantum security.\n",
                           what, folder));
  return kOk;
}

}  // namespace

int run_e91_lab(const E91LabOptions& options, bool json) {
  return run_lab(lab::make_e91_lab, options.folder, options.port, "an E91 link, two KMEs and two applications", json);
}

int run_kme_lab(const KmeLabOptions& options, bool json) {
  return run_lab(lab::make_kme_lab, options.folder, options.port, "two KMEs and two SAEs", json);
}

}  // namespace qsp::cli
