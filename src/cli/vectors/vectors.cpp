#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "crypto/routed/provider.hpp"
#include "files/file.hpp"
#include "files/replacement.hpp"
#include "text/table.hpp"
#include "vectors/vectors.hpp"

namespace qsp::cli {
namespace {

void list(const Context& context) {
  text::Rows rows;
  for (const vectors::Scenario& scenario : vectors::scenarios()) {
    if (context.json) {
      print_json({{"name", scenario.name}, {"description", scenario.description}});
    } else {
      rows.push_back({std::string(scenario.name), std::string(scenario.description)});
    }
  }
  print_out("{}", text::columns(rows));
}

int write_all(const std::filesystem::path& folder) {
  const auto provider = crypto::make_provider();
  if (!provider) return failed(provider.error());
  for (const vectors::Scenario& scenario : vectors::scenarios()) {
    const auto text = vectors::make_vector(scenario, **provider);
    if (!text) return failed(text.error());
    const std::filesystem::path path = folder / (std::string(scenario.name) + ".json");
    if (const auto written = files::replace_file(path.string(), as_bytes(*text), files::kAsUmaskAllows); !written) {
      return failed(written.error());
    }
    print_out("{}\n", path.string());
  }
  return kOk;
}

}  // namespace

void add_vectors(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("vectors", "list the test vectors of QSP 1.0, or write them");
  const auto folder = std::make_shared<std::string>();
  verb->add_option("--out", *folder, "write each as NAME.json into this folder")
      ->type_name("DIR")
      ->check(existing_directory());
  set_help(*verb, {.notes = "What it writes does not depend on the run; vectors/README.md describes the format. Every\n"
                            "key in it is public.",
                   .examples = {"qsp vectors", "qsp vectors --out vectors/qsp1"}});
  verb->callback([folder, &context] {
    context.action = [folder, &context] {
      if (!folder->empty()) return write_all(*folder);
      list(context);
      return kOk;
    };
  });
}

}  // namespace qsp::cli
