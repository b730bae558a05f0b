#include <memory>
#include <string>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/e91/e91.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "e91/study/audit.hpp"

namespace qsp::cli {
namespace {

int run_audit(const std::string& file, const std::vector<e91::post::Requirement>& required, bool json) {
  const auto audit = e91::study::audit_file(file, required);
  if (!audit) return failed(audit.error());
  print_result(json, json_of(*audit), text_of(*audit));
  if (audit->blocks.empty()) return failed(file + ": contains no block");
  for (const std::string& problem : audit->unmet) print_error(file + ": " + problem);
  return audit->holds() ? kOk : kFailed;
}

}  // namespace

void add_e91_audit(Command& e91, Context& context) {
  Command* const verb = e91.add_subcommand("audit", "check a run from what was said in public");
  const auto file = std::make_shared<std::string>();
  const auto required = std::make_shared<std::string>();
  verb->add_option("TRANSCRIPT", *file, "a file of qsp e91 run --transcript")->required();
  verb->add_option("--require", *required, "fail unless these hold, such as eps_sec<=1e-9,n>=100000,keys>=1")
      ->check(Check(
          [](const std::string& text) {
            const auto parsed = e91::post::parse_requirements(text);
            return parsed ? std::string() : parsed.error() + ", not '" + text + "'";
          },
          "LIST"));
  set_help(*verb, {.examples = {"qsp e91 run --transcript t.qsp && qsp e91 audit t.qsp",
                                "qsp e91 audit t.qsp --require 'eps_sec<=1e-9,keys>=1'", "qsp e91 audit t.qsp --json"},
                   .done = "every block is correct, and what --require asks for holds",
                   .failed = "a block is not correct, a requirement does not hold, or the file is not a transcript"});
  verb->callback([file, required, &context] {
    context.action = [file, required, &context] {
      std::vector<e91::post::Requirement> list;
      if (!required->empty())
        list = e91::post::parse_requirements(*required).value_or(std::vector<e91::post::Requirement>());
      return run_audit(*file, list, context.json);
    };
  });
}

}  // namespace qsp::cli
