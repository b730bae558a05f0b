#include "cli/provider_choice.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "crypto/routed/provider.hpp"

namespace qsp::cli {
namespace {

constexpr const char* kVariable = "QSP_PROVIDER";

}  // namespace

void ProviderChoice::add_to(Command& app) {
  app.add_option("--provider", given_,
                 fmt::format("cryptographic library: openssl, awslc, or auto for the faster one of each algorithm;\n"
                             "without this, {} of the environment, or auto",
                             kVariable))
      ->check(one_of(std::vector<std::string>(crypto::kLibraryNames.begin(), crypto::kLibraryNames.end())));
}

std::expected<void, std::string> ProviderChoice::apply() const {
  std::string_view name = given_;
  std::string_view source = "--provider";
  if (name.empty()) {
    const char* const variable = std::getenv(kVariable);  // NOLINT(concurrency-mt-unsafe): there is one thread yet
    if (variable == nullptr || *variable == '\0') return {};
    name = variable;
    source = kVariable;
  }
  const auto library = crypto::library_by_name(name);
  if (!library) {
    return std::unexpected(fmt::format("{} {}: {}", source, as_given(std::string(name)), library.error()));
  }
  crypto::set_default_library(*library);
  return {};
}

}  // namespace qsp::cli
