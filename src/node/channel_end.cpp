#include "node/channel_end.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/try.hpp"
#include "crypto/routed/provider.hpp"
#include "identity/identity.hpp"
#include "node/rekey_timing.hpp"
#include "qsp/suites.hpp"
#include "text/escape.hpp"

namespace qsp::node {
namespace {

std::string_view policy_name(QkdPolicy policy) noexcept {
  return policy == QkdPolicy::Required ? "required" : policy == QkdPolicy::Preferred ? "preferred" : "none";
}

}  // namespace

std::vector<std::string> ChannelEnd::pinned_key_files() const {
  const auto trust = trust_.get();
  if (!trust) return {};
  const auto files = trust->peers().key_files();
  return {files.begin(), files.end()};
}

std::vector<std::string> ChannelEnd::peer_names() const {
  std::vector<std::string> names;
  const auto trust = trust_.get();
  for (const Peer& peer : trust->peers().all()) names.push_back(peer.name);
  return names;
}

/// The setting behind what a channel refuses of its options.
std::string ChannelEnd::explain_misuse(std::string_view where) const {
  struct Row {
    std::string_view where;
    Setting setting;
    std::string_view what;
  };
  constexpr std::array kRows{Row{"kems", Setting::Kems, "takes one to eight names, each once"},
                             Row{"aeads", Setting::Aeads, "takes one to eight names, each once"},
                             Row{"client_signatures", Setting::Signatures, "takes one to eight names, each once"},
                             Row{"signers", Setting::Keys, "takes one to eight keys, each once"},
                             Row{"sae_id", Setting::SaeId, "takes 1 to 255 bytes"}};
  if (where == "rekey.timer below 60 s") {
    return fmt::format("{}: takes 1m or more ({} allows less, for tests and demonstrations)",
                       name_(Setting::RekeyTimer), name_(Setting::ShortTimers));
  }
  const auto* const row = std::ranges::find(kRows, where, &Row::where);
  return row != kRows.end() ? fmt::format("{}: {}", name_(row->setting), row->what)
                            : fmt::format("these options cannot make a session: {}", where);
}

std::expected<void, Refused> ChannelEnd::read_policies(const EndConfig& config) {
  QSP_TRY(const auto timing, rekey_timing(config));
  pace_ = timing.pace;
  shared_.client.kems = shared_.server.kems = config.kems;
  shared_.client.aeads = shared_.server.aeads = config.aeads;
  shared_.client.sae_id = shared_.server.sae_id = config.sae_id;
  shared_.client.rekey = shared_.server.rekey = timing.policy;
  shared_.server.qkd = config.qkd;
  if (!config.signatures.empty()) shared_.server.client_signatures = config.signatures;
  return {};
}

/// Null for a server.
std::expected<const Peer*, std::string> ChannelEnd::dialled(const Trust& trust) const {
  if (role_ == Role::Server) return nullptr;
  const Peer* const peer = trust.peers().find_by_name(peer_);
  if (peer == nullptr) {
    return std::unexpected(fmt::format("{}: there is no peer named '{}'", files_.peers, text::terminal_escape(peer_)));
  }
  if (!peer->may_serve) {
    return std::unexpected(
        fmt::format("{}: peer '{}' is not to be dialled (serve = true allows it)", files_.peers, peer->name));
  }
  return peer;
}

/// A policy that no session could ever meet is a mistake, and is said before the first peer meets it.
std::optional<std::string> ChannelEnd::lacks_qkd_source(const Trust& trust) const {
  const auto remedy = [this] {
    return fmt::format("give {} URL, or {} SAE-ID=FILE with its SAE ID", name_(Setting::KmeUrls), name_(Setting::Pads));
  };
  if (role_ == Role::Server && shared_.server.qkd == QkdPolicy::Required && !shared_.qkd->has_any_source()) {
    return fmt::format("{} required: there is no source of QKD keys; {}", name_(Setting::Qkd), remedy());
  }
  for (const Peer& peer : trust.peers().all()) {
    const bool concerned = role_ == Role::Server ? peer.may_connect : peer.name == peer_;
    if (!concerned || peer.qkd != QkdPolicy::Required) continue;
    if (role_ == Role::Server && shared_.server.qkd == QkdPolicy::None) {
      return fmt::format(
          "{}: peer '{}' requires QKD, which this listener has switched off: give {} preferred, or required",
          files_.peers, peer.name, name_(Setting::Qkd));
    }
    if (shared_.qkd->has_source_for(peer.sae_id)) continue;
    return fmt::format("{}: peer '{}' requires QKD, and there is no source of its keys (sae_id {}); {}", files_.peers,
                       peer.name, text::terminal_escape(peer.sae_id), remedy());
  }
  return std::nullopt;
}

/// A user who names a source of QKD keys wants them used.
void ChannelEnd::warn_of_unused_source(const Peer* dialled) {
  if (!shared_.qkd->has_any_source()) return;
  if (dialled == nullptr && shared_.server.qkd == QkdPolicy::None) {
    warnings_.push_back(
        fmt::format("no QKD key is used: {0} is none; give {0} preferred, or required", name_(Setting::Qkd)));
  } else if (dialled != nullptr && dialled->qkd == QkdPolicy::None) {
    warnings_.push_back(fmt::format(
        R"({}: no QKD key is used: peer '{}' is pinned without; add qkd = "required" and its sae_id, at both ends)",
        files_.peers, dialled->name));
  }
}

/// SPEC §3: "Where its library lacks defaults, or algorithms that its configuration lists, an end MUST warn its user".
void ChannelEnd::warn_of_missing_algorithms(const crypto::Provider& provider, const EndConfig& config) {
  std::vector<std::string_view> missing;
  const auto look_for = [&](const auto& ids) {
    for (const auto id : ids) {
      const std::string_view name = crypto::info(id).name;
      if (!provider.capabilities().has(id) && std::ranges::find(missing, name) == missing.end()) {
        missing.push_back(name);
      }
    }
  };
  const ClientOptions defaults{};
  look_for(defaults.kems);
  look_for(std::array{crypto::SignatureId::MlDsa65});
  look_for(defaults.aeads);
  look_for(config.kems);
  look_for(config.signatures);
  look_for(config.aeads);
  if (missing.empty()) return;
  warnings_.push_back(fmt::format(
      "{} lacks {}: sessions do without, and peers that have nothing else cannot be reached; use OpenSSL 3.5 or newer "
      "with its default provider active in openssl.cnf",
      provider.description(), fmt::join(missing, ", ")));
}

/// QKD keys are asked for in an end's own name, too.
std::optional<std::string> ChannelEnd::lacks_sae_id(const Peer* dialled) const {
  if (!files_.sae_id.empty()) return std::nullopt;
  const auto needs = [this](std::string_view what) {
    return fmt::format("{} needs {} ID: this end's own SAE ID at its KME or of its pads", what, name_(Setting::SaeId));
  };
  if (dialled == nullptr && shared_.server.qkd != QkdPolicy::None) {
    return needs(fmt::format("{} {}", name_(Setting::Qkd), policy_name(shared_.server.qkd)));
  }
  if (dialled == nullptr || dialled->qkd == QkdPolicy::None) return std::nullopt;
  return needs(fmt::format("{}: peer '{}' is pinned with QKD, which", files_.peers, dialled->name));
}

std::expected<void, Refused> ChannelEnd::read(const EndConfig& config) {
  name_ = config.name;
  QSP_TRY(read_policies(config));
  auto provider = crypto::make_provider();
  if (!provider) return refuse(provider.error());
  warn_of_missing_algorithms(**provider, config);
  files_ = {.keys = config.keys,
            .passphrase_file = config.passphrase_file,
            .ask = config.ask_passphrase,
            .peers = config.peers,
            .sae_id = config.sae_id,
            .name = config.name};
  peer_ = config.peer;
  auto trust = Trust::read(**provider, files_);
  if (!trust) return refuse(trust.error());
  trust_.set(*trust);
  const auto peer = dialled(**trust);
  if (!peer) return refuse(peer.error());
  if (auto lack = lacks_sae_id(*peer)) return refuse_config(std::move(*lack));
  auto qkd = QkdKeys::open(config.pads, config.kme, log_, name_);
  if (!qkd) return refuse(qkd.error());
  shared_.qkd = std::move(*qkd);
  shared_.qkd->paces().set(pace_);
  if (auto lack = lacks_qkd_source(**trust)) return refuse_config(std::move(*lack));
  warn_of_unused_source(*peer);

  // What cannot work is said now, not to the first peer that comes.
  const auto endpoints = endpoints_of(*std::move(trust), *std::move(provider));
  if (!endpoints) return refuse(endpoints.error());
  if (const auto endpoint = (*endpoints)->make(false); !endpoint) {
    return refuse_config(explain_misuse(endpoint.error().where));
  }
  return {};
}

std::string ChannelEnd::describe_stranger(const Presented& presented) const {
  const std::shared_ptr<const Trust> trust = trust_.get();
  if (role_ == Role::Client) return describe_wrong_server(presented, **dialled(*trust));
  const std::string fingerprint = identity::fingerprint(presented.identity);
  const Peer* const peer = trust->peers().find(presented.identity);
  if (peer == nullptr) return fmt::format("the caller presented {}, which is not pinned", fingerprint);
  std::string text = fmt::format("the caller presented {}, pinned as '{}'{}", fingerprint, peer->name,
                                 peer->may_connect ? "" : ", who may not connect");
  if (presented.sae_id && *presented.sae_id != peer->sae_id) {
    text += fmt::format("; its SAE ID is '{}', and the pin has '{}'", text::terminal_escape(*presented.sae_id),
                        text::terminal_escape(peer->sae_id));
  }
  return text;
}

std::string ChannelEnd::describe_wrong_server(const Presented& presented, const Peer& peer) const {
  std::vector<std::string> pinned;
  for (const PinnedKey& key : peer.keys) pinned.push_back(identity::fingerprint(key.identity));
  if (std::ranges::find(peer.keys, presented.identity, &PinnedKey::identity) == peer.keys.end()) {
    return fmt::format(
        "the server presented {}, but '{}' is pinned as {}; compare both with its operator (qsp fingerprint)",
        identity::fingerprint(presented.identity), peer.name, fmt::join(pinned, " or "));
  }
  if (!presented.sae_id || *presented.sae_id == peer.sae_id) return {};
  return fmt::format("the server's SAE ID is '{}', but '{}' is pinned with '{}': compare its {} with sae_id in {}",
                     text::terminal_escape(*presented.sae_id), peer.name, text::terminal_escape(peer.sae_id),
                     name_(Setting::SaeId), files_.peers);
}

std::expected<std::unique_ptr<EndpointFactory>, std::string> ChannelEnd::endpoints() {
  QSP_TRY(auto provider, crypto::make_provider());
  return endpoints_of(trust_.get(), std::move(provider));
}

std::expected<std::unique_ptr<EndpointFactory>, std::string> ChannelEnd::endpoints_of(
    std::shared_ptr<const Trust> trust, std::unique_ptr<crypto::Provider> provider) const {
  QSP_TRY(auto signers, trust->signers(*provider));
  QSP_TRY(const auto peer, dialled(*trust));
  return std::make_unique<ChannelEndpoints>(role_, shared_, trust_, std::move(trust), peer, std::move(provider),
                                            std::move(signers));
}

std::expected<Reloaded, std::string> ChannelEnd::reload(std::size_t threads) {
  QSP_TRY(const auto provider, crypto::make_provider());
  const std::shared_ptr<const Trust> before = trust_.get();
  QSP_TRY(const auto after, Trust::read(*provider, files_, before.get()));
  if (auto lack = lacks_qkd_source(*after)) return std::unexpected(std::move(*lack));
  Reloaded reloaded;
  for (std::size_t i = 0; i < threads; ++i) {
    QSP_TRY(auto own, crypto::make_provider());
    QSP_TRY(auto endpoints, endpoints_of(after, std::move(own)));
    reloaded.endpoints.push_back(std::move(endpoints));
  }
  reloaded.changes = describe_change(*before, *after);
  trust_.set(after);
  return reloaded;
}

}  // namespace qsp::node
