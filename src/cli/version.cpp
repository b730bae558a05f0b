#include <fmt/format.h>

#include <memory>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/text.hpp"
#include "qsp/openssl.hpp"

namespace qsp::cli {
namespace {

int version(const Context& context) {
  const auto provider = crypto::make_openssl_provider();
  if (!provider) {
    print_error(provider.error());
    return kFailed;
  }
  const std::string_view library = (*provider)->description();
  if (context.json) {
    print_json({{"qsp", QSP_VERSION}, {"crypto", library}});
  } else {
    fmt::print("qsp {} with {}\n", QSP_VERSION, library);
  }
  return kOk;
}

}  // namespace

void add_version(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("version", "print the versions of qsp and of the cryptographic library");
  verb->footer("Example:\n  qsp version --json");
  verb->callback([&context] { context.action = [&context] { return version(context); }; });
}

}  // namespace qsp::cli
