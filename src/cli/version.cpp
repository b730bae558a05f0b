#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "crypto/routed/provider.hpp"
#include "crypto/routed/routes.hpp"
#include "qsp/suites.hpp"
#include "qsp/version.hpp"
#include "text/table.hpp"

namespace qsp::cli {
namespace {

/// Of the fields in what --json prints: 2 since "peer" is a name and "address" an address in every verb.
constexpr int kJsonVersion = 2;

constexpr std::string_view kNoAwsLc =
    "AWS-LC is not in this program: signatures and key exchange take several times as long (./dev setup; see README)";

template <class Table>
boost::json::array names_of(const Table& table) {
  boost::json::array names;
  for (const std::string& name : algorithm_names(table)) names.emplace_back(name);
  return names;
}

/// What one library does for this program; where two share an algorithm, the words for both are a library of their own.
struct Served {
  std::string library;
  std::vector<std::string> algorithms;
};

std::vector<Served> served_by(const crypto::Provider& provider) {
  std::vector<Served> all;
  for (const crypto::Algorithm& algorithm : crypto::kAlgorithms) {
    if (!crypto::can(provider, algorithm)) continue;
    const std::string_view library = provider.library_of(algorithm);
    auto found = std::ranges::find(all, library, &Served::library);
    if (found == all.end()) found = all.insert(all.end(), Served{.library = std::string(library), .algorithms = {}});
    found->algorithms.emplace_back(crypto::name(algorithm));
  }
  return all;
}

boost::json::array json_of(const std::vector<Served>& all) {
  boost::json::array libraries;
  for (const Served& served : all) {
    boost::json::array algorithms;
    for (const std::string& name : served.algorithms) algorithms.emplace_back(name);
    libraries.push_back(boost::json::object{{"library", served.library}, {"algorithms", std::move(algorithms)}});
  }
  return libraries;
}

std::string text_of(const std::vector<Served>& all) {
  std::string text;
  for (const Served& served : all) {
    text += fmt::format("{}: {}\n", served.library, fmt::join(served.algorithms, ", "));
  }
  return text;
}

int version(const Context& context) {
  const auto provider = crypto::make_provider();
  if (!provider) return failed(provider.error());
  const std::string_view library = (*provider)->description();
  const std::vector<Served> served = served_by(**provider);
  const bool whole = crypto::is_built_in(crypto::Library::AwsLc);
  boost::json::object json{{"qsp", kVersion},
                           {"crypto", library},
                           {"provider", crypto::name(crypto::default_library())},
                           {"libraries", json_of(served)},
                           {"awslc", whole},
                           {"json", kJsonVersion},
                           {"kems", names_of(crypto::kKems)},
                           {"signatures", names_of(crypto::kSignatures)},
                           {"aeads", names_of(crypto::kAeads)}};
  print_result(
      context.json, json,
      fmt::format(
          "qsp {} with {}\n{}\nwhich library does what\n{}{}", kVersion, library,
          text::columns({{"KEMs", fmt::format("{}", fmt::join(algorithm_names(crypto::kKems), ", "))},
                         {"signatures", fmt::format("{}", fmt::join(algorithm_names(crypto::kSignatures), ", "))},
                         {"AEADs", fmt::format("{}", fmt::join(algorithm_names(crypto::kAeads), ", "))}}),
          text_of(served), whole ? std::string() : fmt::format("{}\n", kNoAwsLc)));
  return kOk;
}

}  // namespace

void add_version(Command& app, Context& context) {
  Command* const verb = app.add_subcommand(
      "version", "print the versions of qsp and of the cryptographic libraries, what each does, and the algorithms");
  set_help(*verb,
           {.notes = "Also lists the names of the algorithms that --kem, --aead, --alg and --accept-signature take.",
            .examples = {"qsp version", "qsp version --json", "qsp --version"}});
  verb->callback([&context] { context.action = [&context] { return version(context); }; });
}

}  // namespace qsp::cli
