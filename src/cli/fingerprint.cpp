#include "cli/fingerprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <memory>
#include <utility>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "identity/identity.hpp"
#include "identity/key_files.hpp"
#include "identity/peers.hpp"
#include "qsp/openssl.hpp"
#include "qsp/suites.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

/// A key that was found in a file.
struct Found {
  std::string file;
  std::string_view kind;  ///< "private", "public" or "peer"
  std::string peer;       ///< its name, of a peers file
  PinnedKey key;
};

files::OrText<void> add_key(crypto::PublicKey key, Found found, crypto::Provider& provider, std::vector<Found>& all) {
  Result<PinnedKey> pinned = identity::pin(std::move(key), provider.hkdf());
  if (!pinned) return std::unexpected(found.file + ": " + std::string(pinned.error().where));
  found.key = std::move(*pinned);
  all.push_back(std::move(found));
  return {};
}

files::OrText<void> read_file(const std::string& file, const FingerprintOptions& options, crypto::Provider& provider,
                              std::vector<Found>& all) {
  const auto content = files::read_file(file, identity::kMaxPeersFileSize);
  if (!content) return std::unexpected(content.error());
  const std::string_view text = content->text.reveal_text();
  const identity::KeyFileKind kind = identity::kind_of(text);
  switch (kind) {
    case identity::KeyFileKind::Private: {
      const auto signer = identity::parse_private_key(provider, file, *content, options.passphrase_file);
      if (!signer) return std::unexpected(signer.error());
      return add_key((*signer)->public_key(), {.file = file, .kind = "private", .peer = {}, .key = {}}, provider, all);
    }
    case identity::KeyFileKind::Public: {
      auto key = identity::parse_public_key(provider, file, text);
      if (!key) return std::unexpected(key.error());
      return add_key(std::move(*key), {.file = file, .kind = "public", .peer = {}, .key = {}}, provider, all);
    }
    case identity::KeyFileKind::Damaged:
    case identity::KeyFileKind::Empty:
      return std::unexpected(file + ": " +
                             identity::not_expected(kind, "a key in PEM or a peers file", "copy it here again"));
    case identity::KeyFileKind::Peers:
    case identity::KeyFileKind::Neither:
      break;
  }
  const auto peers = identity::PinnedPeers::parse(provider, file, text);
  if (!peers) return std::unexpected(peers.error());
  for (const Peer& peer : peers->all()) {
    for (const PinnedKey& key : peer.keys) all.push_back({file, "peer", peer.name, key});
  }
  return {};
}

void print(const std::vector<Found>& all, bool json) {
  boost::json::array items;
  for (const Found& found : all) {
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

int run_fingerprint(const FingerprintOptions& options) {
  const auto expected = identity::parse_fingerprint(options.expected);
  if (!options.expected.empty() && !expected) {
    print_error("--expect takes a fingerprint: qsp1: and 64 hex digits");
    return kUsage;
  }
  const auto provider = crypto::make_openssl_provider();
  if (!provider) {
    print_error(provider.error().where);
    return kFailed;
  }
  std::vector<Found> all;
  for (const std::string& file : options.files) {
    if (const auto read = read_file(file, options, **provider, all); !read) {
      print_error(read.error());
      return kFailed;
    }
  }
  print(all, options.json);
  if (!expected || std::ranges::all_of(all, [&](const Found& found) { return found.key.identity == *expected; }))
    return kOk;
  print_error("not the expected fingerprint: do not trust this key before you know why");
  return kFailed;
}

void add_fingerprint(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("fingerprint", "print the fingerprints of keys");
  const auto options = std::make_shared<FingerprintOptions>();
  verb->add_option("FILE", options->files, "private keys, public keys and peers files")->required();
  verb->add_option("--passphrase-file", options->passphrase_file, "passphrase of encrypted private keys (mode 600)")
      ->type_name("FILE");
  verb->add_option("--expect", options->expected, "fail unless every key has this fingerprint");
  set_help(*verb,
           {.notes = "A fingerprint is qsp1: and the SHA-256 of the key's SubjectPublicKeyInfo in hex.",
            .examples = {"qsp fingerprint alice.key.pub peers.toml", "qsp fingerprint bob.key.pub --expect qsp1:5b3d…"},
            .done = "every key was read, and has the expected fingerprint",
            .failed = "failed: one line on standard error says why"});
  verb->callback([options, &context] {
    context.action = [options, &context] {
      options->json = context.json;
      return run_fingerprint(*options);
    };
  });
}

}  // namespace qsp::cli
