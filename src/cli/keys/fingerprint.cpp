#include "cli/keys/fingerprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "crypto/routed/provider.hpp"
#include "identity/found_keys.hpp"
#include "qsp/suites.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

void print(const std::vector<identity::FoundKey>& all, bool json) {
  boost::json::array items;
  for (const identity::FoundKey& found : all) {
    const std::string fingerprint = identity::fingerprint(found.key.identity);
    const std::string_view algorithm = crypto::info(found.key.key.algorithm).name;
    if (json) {
      boost::json::object item{
          {"file", found.file}, {"kind", found.kind}, {"algorithm", algorithm}, {"fingerprint", fingerprint}};
      if (!found.peer.empty()) item["peer"] = found.peer;
      items.push_back(std::move(item));
    } else {
      print_out("{}  {}  {}{}{}\n", fingerprint, algorithm, text::terminal_escape(found.file),
                found.peer.empty() ? "" : ": ", found.peer);
    }
  }
  if (json) print_json({{"keys", std::move(items)}});
}

}  // namespace

int run_fingerprint(const FingerprintOptions& options, bool json) {
  const auto expected = identity::parse_fingerprint(options.expected);
  if (!options.expected.empty() && !expected) {
    return failed("--expect takes a fingerprint: qsp1: and 64 hex digits", kUsage);
  }
  const auto provider = crypto::make_provider();
  if (!provider) return failed(provider.error());
  std::vector<identity::FoundKey> all;
  for (const std::string& file : options.files) {
    const auto found = identity::find_keys(**provider, file, options.passphrase_file);
    if (!found) return failed(found.error());
    all.insert(all.end(), found->begin(), found->end());
  }
  print(all, json);
  if (!expected ||
      std::ranges::all_of(all, [&](const identity::FoundKey& found) { return found.key.identity == *expected; }))
    return kOk;
  return failed("not the expected fingerprint: do not trust this key before you know why");
}

void add_fingerprint(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("fingerprint", "print the fingerprints of keys");
  const auto options = options_of<FingerprintOptions>(*verb, context, run_fingerprint);
  verb->add_option("FILE", options->files, "private keys, public keys and peers files")->required();
  verb->add_file("--passphrase-file", options->passphrase_file, "passphrase of encrypted private keys (mode 600)");
  verb->add_option("--expect", options->expected, "fail unless every key has this fingerprint");
  set_help(*verb,
           {.notes = "A fingerprint is qsp1: and the SHA-256 of the key's SubjectPublicKeyInfo in hex.",
            .examples = {"qsp fingerprint alice.key.pub peers.toml", "qsp fingerprint bob.key.pub --expect qsp1:5b3d…"},
            .done = "every key was read, and has the expected fingerprint",
            .failed = "failed: one line on standard error says why"});
}

}  // namespace qsp::cli
