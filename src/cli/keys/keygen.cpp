#include "cli/keys/keygen.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "crypto/routed/provider.hpp"
#include "files/unfinished.hpp"
#include "identity/identity.hpp"
#include "identity/key_files.hpp"
#include "identity/passphrase.hpp"
#include "qsp/suites.hpp"
#include "text/escape.hpp"
#include "text/table.hpp"

namespace qsp::cli {
namespace {

/// The passphrase of the new key, or nothing for a key that is not encrypted.
files::OrText<std::optional<SecretBytes>> new_passphrase(const KeygenOptions& options) {
  if (!options.encrypt && options.passphrase_file.empty()) return std::nullopt;
  QSP_TRY(auto passphrase, options.encrypt
                               ? identity::new_passphrase_from_terminal("passphrase for " + options.out + ": ")
                               : identity::passphrase_from_file(options.passphrase_file));
  return passphrase;
}

}  // namespace

int run_keygen(const KeygenOptions& options, bool json) {
  const auto algorithm = crypto::signature_by_name(options.algorithm);
  if (!algorithm || options.out.empty() || (options.encrypt && !options.passphrase_file.empty())) {
    return failed("keygen needs a known --alg, --out, and at most one of --encrypt and --passphrase-file", kUsage);
  }
  const auto provider = crypto::make_provider();
  if (!provider) return failed(provider.error());
  const auto passphrase = new_passphrase(options);
  if (!passphrase) return failed(passphrase.error());
  files::Unfinished unfinished;
  const auto key = identity::write_new_key_pair(**provider, *algorithm, options.out, *passphrase);
  if (!key) return failed(key.error());
  unfinished.keep();
  const auto identity = identity::identity_of(*key, (*provider)->hkdf());
  if (!identity) return failed(identity.error().where);

  const auto& row = crypto::info(*algorithm);
  if (!row.quantum_safe)
    print_warning(fmt::format("{} is not quantum-safe: a quantum computer could forge its signatures", row.name));
  const std::string fingerprint = identity::fingerprint(*identity);
  const std::string public_file = identity::public_file_of(options.out);
  print_result(json,
               {{"algorithm", row.name},
                {"private_key", options.out},
                {"public_key", public_file},
                {"encrypted", passphrase->has_value()},
                {"fingerprint", fingerprint}},
               text::columns({{"private key", text::terminal_escape(options.out)},
                              {"public key", text::terminal_escape(public_file)},
                              {"fingerprint", fingerprint}}));
  return kOk;
}

void add_keygen(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("keygen", "make a signature key pair, the identity of an end");
  const auto options = options_of<KeygenOptions>(*verb, context, run_keygen);
  verb->add_checked("--alg", options->algorithm, "signature algorithm",
                    one_of_any_case(algorithm_names(crypto::kSignatures)));
  verb->add_file("--out", options->out, "file for the private key; the public half goes to FILE.pub")->required();
  Option* const file = verb->add_option("--passphrase-file", options->passphrase_file,
                                        "encrypt the private key with the one line in this file (mode 600)");
  verb->add_flag("--encrypt", options->encrypt, "encrypt the private key; asks for the passphrase, twice")
      ->excludes(file);
  set_help(
      *verb,
      {.notes = "Prints the fingerprint, for the operator of the other end to compare. Never overwrites a file.",
       .examples = {"qsp keygen --out alice.key", "qsp keygen --alg Ed25519+ML-DSA-65 --out alice.key --encrypt"}});
}

}  // namespace qsp::cli
