#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <memory>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "crypto/provider/provider.hpp"
#include "qsp/suites.hpp"
#include "qsp/version.hpp"
#include "text/table.hpp"

namespace qsp::cli {
namespace {

/// Of the fields in what --json prints: 2 since "peer" is a name and "address" an address in every verb.
constexpr int kJsonVersion = 2;

template <class Table>
boost::json::array names_of(const Table& table) {
  boost::json::array names;
  for (const std::string& name : algorithm_names(table)) names.emplace_back(name);
  return names;
}

int version(const Context& context) {
  const auto provider = crypto::make_provider();
  if (!provider) return failed(provider.error());
  const std::string_view library = (*provider)->description();
  print_result(
      context.json,
      {{"qsp", kVersion},
       {"crypto", library},
       {"json", kJsonVersion},
       {"kems", names_of(crypto::kKems)},
       {"signatures", names_of(crypto::kSignatures)},
       {"aeads", names_of(crypto::kAeads)}},
      fmt::format(
          "qsp {} with {}\n{}", kVersion, library,
          text::columns({{"KEMs", fmt::format("{}", fmt::join(algorithm_names(crypto::kKems), ", "))},
                         {"signatures", fmt::format("{}", fmt::join(algorithm_names(crypto::kSignatures), ", "))},
                         {"AEADs", fmt::format("{}", fmt::join(algorithm_names(crypto::kAeads), ", "))}})));
  return kOk;
}

}  // namespace

void add_version(Command& app, Context& context) {
  Command* const verb =
      app.add_subcommand("version", "print the versions of qsp and of the cryptographic library, and the algorithms");
  set_help(*verb,
           {.notes = "Also lists the names of the algorithms that --kem, --aead, --alg and --accept-signature take.",
            .examples = {"qsp version", "qsp version --json", "qsp --version"}});
  verb->callback([&context] { context.action = [&context] { return version(context); }; });
}

}  // namespace qsp::cli
