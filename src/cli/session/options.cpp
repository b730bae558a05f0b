#include "cli/session/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <utility>

#include "base/try.hpp"
#include "cli/command.hpp"
#include "cli/kme/options.hpp"
#include "cli/option_types.hpp"
#include "cli/session/setting_names.hpp"
#include "cli/text.hpp"
#include "identity/passphrase.hpp"
#include "qsp/suites.hpp"
#include "text/escape.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

constexpr std::chrono::nanoseconds kShortest{1};
constexpr std::chrono::nanoseconds kYear = std::chrono::days(365);

/// Looks every name up; the error names the first that is unknown, and those that there are.
template <class Id, class Lookup, class Rows>
std::expected<std::vector<Id>, Refused> by_names(std::string_view option, const std::vector<std::string>& names,
                                                 Lookup lookup, const Rows& known) {
  std::vector<Id> ids;
  for (const std::string& text : names) {
    const std::optional<Id> id = lookup(text);
    if (!id) {
      std::string all;
      for (const auto& row : known) all += (all.empty() ? "" : ", ") + std::string(row.name);
      return refuse_usage(
          fmt::format("{}: there is no algorithm '{}'; there are {}", option, text::terminal_escape(text), all));
    }
    ids.push_back(*id);
  }
  return ids;
}

std::expected<void, Refused> name_algorithms(const SessionOptions& options, node::EndConfig& config) {
  QSP_TRY(auto kems, by_names<crypto::KemId>("--kem", options.kems, crypto::kem_by_name, crypto::kKems));
  QSP_TRY(auto aeads, by_names<crypto::AeadId>("--aead", options.aeads, crypto::aead_by_name, crypto::kAeads));
  QSP_TRY(auto signatures, by_names<crypto::SignatureId>("--accept-signature", options.signatures,
                                                         crypto::signature_by_name, crypto::kSignatures));
  config.kems = std::move(kems);
  config.aeads = std::move(aeads);
  config.signatures = std::move(signatures);
  return {};
}

std::expected<void, Refused> name_pads(const SessionOptions& options, node::EndConfig& config) {
  for (const std::string& text : options.pads) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
      return refuse(fmt::format("--pad {}: give the peer's SAE ID and the pad file, as SAE-ID=FILE",
                                text::terminal_escape(text)));
    }
    config.pads.push_back({.sae_id = text.substr(0, at), .file = text.substr(at + 1)});
  }
  return {};
}

QkdPolicy policy_by_name(std::string_view name) noexcept {
  return name == "required" ? QkdPolicy::Required : name == "preferred" ? QkdPolicy::Preferred : QkdPolicy::None;
}

}  // namespace

void add_session_options(Command& verb, Role role, SessionOptions& options) {
  add_profile_options(verb, options.profile);
  verb.add_file("--key", options.end.keys,
                role == Role::Server ? "private key of this end (required); several while a key is rolled, best first"
                                     : "private key of this end (required)");
  verb.add_file("--passphrase-file", options.end.passphrase_file, "file with the passphrase of an encrypted key");
  verb.add_file("--peers", options.end.peers, "file of the pinned peers (required; docs/peers.md)");
  if (role == Role::Client)
    verb.add_option("--peer", options.end.peer, "name of the pinned peer to dial (required)")->type_name("NAME");
  verb.add_option("--sae-id", options.end.sae_id, "this end's SAE ID (required where QKD keys are used)")
      ->type_name("ID");
  if (role == Role::Server) {
    verb.add_checked("--qkd", options.qkd,
                     "QKD keys: the policy of the listener, before it knows which peer is calling",
                     one_of({"none", "preferred", "required"}));
  }
  verb.add_option("--pad", options.pads, "pad file with the QKD keys shared with a peer (docs/pad.md)")
      ->type_name("SAE-ID=FILE");
  add_kme_options(verb, options.end.kme);
  const auto one_of = [](std::string_view what, const std::vector<std::string>& names) {
    return fmt::format("{}, best first: {}", what, fmt::join(names, ", "));
  };
  verb.add_option("--kem", options.kems, one_of("KEMs", algorithm_names(crypto::kKems)))->capture_default_str();
  verb.add_option("--aead", options.aeads, one_of("AEADs", algorithm_names(crypto::kAeads)))->capture_default_str();
  if (role == Role::Server) {
    verb.add_option("--accept-signature", options.signatures,
                    one_of("signature algorithms accepted from clients (all that are quantum-safe except SLH-DSA)",
                           algorithm_names(crypto::kSignatures)));
    verb.add_flag("--light", options.end.light, "rekey without a fresh KEM key: forward secrecy only");
  }
  verb.add_option("--rekey-interval", options.rekey_interval, "time between rekeys")
      ->check(is_time(kShortest, kYear))
      ->type_name("TIME")
      ->default_str(text::time_text(from_seconds(options.rekey_interval)));
  verb.add_option(
          "--qkd-rekey-max", options.qkd_rekey_max,
          role == Role::Server
              ? "with --kme: longest time between rekeys while the KME is low on keys [as long as the hard life "
                "of an epoch allows: 3m with these timers; equal to --rekey-interval: never slow down]"
              : "with --kme: time after which to ask for a rekey that the server puts off to save keys [as long "
                "as the hard life of an epoch allows: 3m with these timers]")
      ->check(is_time(kShortest, kYear))
      ->type_name("TIME");
  if (role == Role::Server) {
    verb.add_option("--qkd-low-supply", options.end.qkd_low_supply,
                    "with --kme: slow rekeys down while it has fewer keys left than this [a tenth of its capacity]")
        ->type_name("KEYS");
  }
  verb.add_option("--rekey-bytes", options.end.rekey_bytes, "rekey after this much data of an epoch, per direction")
      ->check(is_size(1, crypto::info(crypto::AeadId::Aes256Gcm).max_bytes / 2))
      ->type_name("SIZE")
      ->default_str(text::size_text(options.end.rekey_bytes));
  verb.add_option("--rekey-timer", options.rekey_timer, "time for the peer to answer a rekey; 1m or more")
      ->check(is_time(kShortest, kYear))
      ->type_name("TIME")
      ->default_str(text::time_text(from_seconds(options.rekey_timer)));
  verb.add_flag("--dangerous-short-timers", options.end.dangerous_short_timers,
                "allow a rekey timer below 1m: for tests and demonstrations only");
}

std::expected<SecretBytes, std::string> ask_passphrase(const std::string& file) {
  return identity::passphrase_from_terminal(fmt::format("passphrase of {}: ", file));
}

std::vector<files::InputFile> files_of(const SessionOptions& options) {
  node::EndConfig end = options.end;
  for (const std::string& pad : options.pads) end.pads.push_back({.sae_id = {}, .file = pad.substr(pad.find('=') + 1)});
  return node::files_of(end);
}

std::expected<node::EndConfig, Refused> end_config(const SessionOptions& options, Role role) {
  const auto profile = choose_profile(options.profile);
  if (!profile) return refuse_usage(profile.error());
  node::EndConfig config = options.end;
  config.profile = *profile;
  config.ask_passphrase = ask_passphrase;
  config.qkd = policy_by_name(options.qkd);
  config.rekey_interval = from_seconds(options.rekey_interval);
  config.rekey_timer = from_seconds(options.rekey_timer);
  if (options.qkd_rekey_max) config.qkd_rekey_max = from_seconds(*options.qkd_rekey_max);
  config.name = option_name;
  if (*profile == node::ProfileId::DangerousRc155) return config;
  // Before the names, so that who gives no key at all is told that first.
  if (auto complete = node::check(config, role); !complete) return refuse(std::move(complete.error()));
  QSP_TRY(name_algorithms(options, config));
  QSP_TRY(name_pads(options, config));
  return config;
}

}  // namespace qsp::cli
