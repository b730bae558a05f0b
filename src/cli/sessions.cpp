#include "cli/sessions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/option_types.hpp"
#include "cli/qkd_delivery.hpp"
#include "cli/text.hpp"
#include "cli/trust.hpp"
#include "identity/identity.hpp"
#include "qsp/openssl.hpp"
#include "qsp/suites.hpp"
#include "rc155/session.hpp"
#include "text/escape.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

std::chrono::nanoseconds from_seconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

constexpr std::chrono::nanoseconds kShortest{1};
constexpr std::chrono::nanoseconds kYear = std::chrono::days(365);

class Rc155Sessions final : public Sessions {
 public:
  Rc155Sessions(Role role, std::unique_ptr<crypto::Provider> provider) : role_(role), provider_(std::move(provider)) {}
  Result<std::unique_ptr<Endpoint>> make(bool) override { return rc155::dangerous_make_session(role_, *provider_); }

 private:
  Role role_;
  std::unique_ptr<crypto::Provider> provider_;
};

class Rc155Setup final : public Setup {
 public:
  Rc155Setup(const Profile& profile, Role role) : profile_(profile), role_(role) {}
  [[nodiscard]] const Profile& profile() const noexcept override { return profile_; }
  std::expected<std::unique_ptr<Sessions>, std::string> sessions() override {
    auto provider = crypto::make_openssl_provider();
    if (!provider) return std::unexpected(std::string(provider.error().where));
    return std::make_unique<Rc155Sessions>(role_, std::move(*provider));
  }

 private:
  const Profile& profile_;
  Role role_;
};

/// What all sessions of a process share and no reload changes.
struct Shared {
  ClientOptions client;  ///< its peer comes from the pins
  ServerOptions server;
  RekeyPace pace;
  std::unique_ptr<QkdKeys> qkd;
};

/// The trust that a reload replaces. Thread-safe.
class CurrentTrust {
 public:
  [[nodiscard]] std::shared_ptr<const Trust> get() const {
    const std::lock_guard lock(mutex_);
    return trust_;
  }
  void set(std::shared_ptr<const Trust> trust) {
    const std::lock_guard lock(mutex_);
    trust_.swap(trust);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Trust> trust_;
};

class ChannelSessions final : public Sessions {
 public:
  ChannelSessions(Role role, const Shared& shared, const CurrentTrust& current, std::shared_ptr<const Trust> trust,
                  const Peer* dialled, std::unique_ptr<crypto::Provider> provider,
                  std::vector<std::unique_ptr<crypto::Signer>> signers)
      : role_(role),
        current_(current),
        trust_(std::move(trust)),
        provider_(std::move(provider)),
        signers_(std::move(signers)),
        client_(shared.client),
        server_(shared.server),
        delivery_(*shared.qkd, role) {
    if (dialled != nullptr) client_.peer = *dialled;
    server_.peers = &trust_->peers();
    client_.signer = signers_.front().get();
    for (const auto& signer : signers_) server_.signers.push_back(signer.get());
  }

  Result<std::unique_ptr<Endpoint>> make(bool without_qkd) override {
    const Instant now = net::Loop::now();
    client_.redial_without_qkd = without_qkd;
    auto channel =
        role_ == Role::Client ? Channel::client(*provider_, client_, now) : Channel::server(*provider_, server_, now);
    if (!channel) return std::unexpected(channel.error());
    return std::move(*channel);
  }
  [[nodiscard]] net::KeyDelivery* delivery() noexcept override { return &delivery_; }
  [[nodiscard]] std::optional<std::string> objection(const ChannelStatus& session) const override {
    const std::shared_ptr<const Trust> now = current_.get();
    return now == trust_ ? std::nullopt : now->objection(*trust_, session);
  }

 private:
  Role role_;
  const CurrentTrust& current_;
  std::shared_ptr<const Trust> trust_;
  std::unique_ptr<crypto::Provider> provider_;
  std::vector<std::unique_ptr<crypto::Signer>> signers_;
  ClientOptions client_;
  ServerOptions server_;
  QkdDelivery delivery_;
};

class ChannelSetup final : public Setup {
 public:
  ChannelSetup(const Profile& profile, Role role) : profile_(profile), role_(role) {}
  std::expected<void, Refused> read(const SessionOptions& options);

  [[nodiscard]] const Profile& profile() const noexcept override { return profile_; }
  std::expected<std::unique_ptr<Sessions>, std::string> sessions() override { return sessions_of(trust_.get()); }
  std::expected<Reloaded, std::string> reload(std::size_t threads) override;
  [[nodiscard]] std::vector<std::string> pinned_key_files() const override {
    const auto trust = trust_.get();
    if (!trust) return {};
    const auto files = trust->peers().key_files();
    return {files.begin(), files.end()};
  }
  void stop_keys() override { shared_.qkd->stop(); }
  [[nodiscard]] SupplyCounts supply_counts() const override { return shared_.qkd->paces().counts(); }
  [[nodiscard]] std::chrono::nanoseconds stall_limit() const noexcept override { return shared_.client.rekey.timer; }
  [[nodiscard]] std::string describe_stranger(const Presented& presented) const override;
  [[nodiscard]] std::string describe_wrong_server(const Presented& presented, const Peer& peer) const;

 private:
  std::expected<void, Refused> read_suites(const SessionOptions& options, ClientOptions& common);
  std::expected<void, Refused> read_pace(const SessionOptions& options, RekeyPolicy& rekey);
  [[nodiscard]] std::expected<const Peer*, std::string> dialled(const Trust& trust) const;
  [[nodiscard]] std::optional<std::string> lacks_qkd_source(const Trust& trust) const;
  void warn_of_unused_source(const Peer* dialled) const;
  [[nodiscard]] std::expected<std::unique_ptr<Sessions>, std::string> sessions_of(
      std::shared_ptr<const Trust> trust) const;
  const Profile& profile_;
  Role role_;
  Shared shared_;
  TrustFiles files_;
  std::string peer_;  ///< client: the name of the one that is dialled
  CurrentTrust trust_;
};

/// The option behind what a channel refuses of its options.
std::string explain_misuse(std::string_view where) {
  struct Row {
    std::string_view where, text;
  };
  constexpr std::array kRows{
      Row{"kems", "--kem: takes one to eight names, each once"},
      Row{"aeads", "--aead: takes one to eight names, each once"},
      Row{"client_signatures", "--accept-signature: takes one to eight names, each once"},
      Row{"signers", "--key: takes one to eight keys, each once"},
      Row{"sae_id", "--sae-id: takes 1 to 255 bytes"},
      Row{"rekey.timer below 60 s",
          "--rekey-timer: takes 1m or more (--dangerous-short-timers allows less, for tests and demonstrations)"},
  };
  const auto* const row = std::ranges::find(kRows, where, &Row::where);
  return row != kRows.end() ? std::string(row->text) : fmt::format("these options cannot make a session: {}", where);
}

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

std::expected<void, Refused> ChannelSetup::read_suites(const SessionOptions& options, ClientOptions& common) {
  auto kems = by_names<crypto::KemId>("--kem", options.kems, crypto::kem_by_name, crypto::kKems);
  if (!kems) return std::unexpected(kems.error());
  auto aeads = by_names<crypto::AeadId>("--aead", options.aeads, crypto::aead_by_name, crypto::kAeads);
  if (!aeads) return std::unexpected(aeads.error());
  common.kems = std::move(*kems);
  common.aeads = std::move(*aeads);
  common.sae_id = options.sae_id;
  common.rekey.light = options.light;
  common.rekey.interval = from_seconds(options.rekey_interval);
  common.rekey.bytes = options.rekey_bytes;
  common.rekey.timer = from_seconds(options.rekey_timer);
  common.rekey.hard_life = std::max<std::chrono::nanoseconds>(
      options.dangerous_short_timers ? 2 * common.rekey.timer : std::chrono::seconds(420), 2 * common.rekey.timer);
  common.rekey.dangerous_short_timers = options.dangerous_short_timers;
  return read_pace(options, common.rekey);
}

/// No epoch may live longer because its rekey was put off: the floor becomes the sessions' own interval, and their hard
/// life, which counts from there, so much shorter. It must stay twice the rekey timer (SPEC §8.5).
std::expected<void, Refused> ChannelSetup::read_pace(const SessionOptions& options, RekeyPolicy& rekey) {
  shared_.pace = {.target = rekey.interval, .floor = rekey.interval, .low = options.qkd_low_supply};
  if (options.kme.urls.empty()) {
    if (!options.qkd_rekey_max && !options.qkd_low_supply) return {};
    return refuse_usage("--qkd-rekey-max and --qkd-low-supply are for the keys of a KME: give --kme URL too");
  }
  if (rekey.interval <= std::chrono::nanoseconds::zero()) return {};  // refused with the other options of a session
  const std::chrono::nanoseconds most = rekey.interval + rekey.hard_life - 2 * rekey.timer;
  shared_.pace.floor = options.qkd_rekey_max ? from_seconds(*options.qkd_rekey_max) : most;
  if (shared_.pace.floor < rekey.interval || shared_.pace.floor > most) {
    return refuse_usage(fmt::format(
        "--qkd-rekey-max {}: takes a time from {} (--rekey-interval) to {} (what the hard life of an epoch leaves room "
        "for; a shorter --rekey-timer leaves more)",
        text::time_text(shared_.pace.floor), text::time_text(rekey.interval), text::time_text(most)));
  }
  rekey.hard_life -= shared_.pace.floor - rekey.interval;
  rekey.interval = shared_.pace.floor;
  return {};
}

/// Null for a server.
std::expected<const Peer*, std::string> ChannelSetup::dialled(const Trust& trust) const {
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
std::optional<std::string> ChannelSetup::lacks_qkd_source(const Trust& trust) const {
  constexpr std::string_view kRemedy = "give --kme URL, or --pad SAE-ID=FILE with its SAE ID";
  if (role_ == Role::Server && shared_.server.qkd == QkdPolicy::Required && !shared_.qkd->has_any_source()) {
    return fmt::format("--qkd required: there is no source of QKD keys; {}", kRemedy);
  }
  for (const Peer& peer : trust.peers().all()) {
    const bool concerned = role_ == Role::Server ? peer.may_connect : peer.name == peer_;
    if (!concerned || peer.qkd != QkdPolicy::Required) continue;
    if (role_ == Role::Server && shared_.server.qkd == QkdPolicy::None) {
      return fmt::format(
          "{}: peer '{}' requires QKD, which this listener has switched off: give --qkd preferred, or required",
          files_.peers, peer.name);
    }
    if (shared_.qkd->has_source_for(peer.sae_id)) continue;
    return fmt::format("{}: peer '{}' requires QKD, and there is no source of its keys (sae_id {}); {}", files_.peers,
                       peer.name, text::terminal_escape(peer.sae_id), kRemedy);
  }
  return std::nullopt;
}

/// Whoever names a source of QKD keys wants them used.
void ChannelSetup::warn_of_unused_source(const Peer* dialled) const {
  if (!shared_.qkd->has_any_source()) return;
  if (dialled == nullptr && shared_.server.qkd == QkdPolicy::None) {
    print_warning("no QKD key is used: --qkd is none; give --qkd preferred, or required");
  } else if (dialled != nullptr && dialled->qkd == QkdPolicy::None) {
    print_warning(fmt::format(
        R"({}: no QKD key is used: peer '{}' is pinned without; add qkd = "required" and its sae_id, at both ends)",
        files_.peers, dialled->name));
  }
}

/// QKD keys are asked for in an end's own name, too.
std::optional<std::string> lacks_sae_id(const SessionOptions& options, const Peer* dialled) {
  constexpr std::string_view kRemedy = "needs --sae-id ID: this end's own SAE ID at its KME or of its pads";
  if (!options.sae_id.empty()) return std::nullopt;
  if (dialled == nullptr && options.qkd != "none") return fmt::format("--qkd {} {}", options.qkd, kRemedy);
  if (dialled == nullptr || dialled->qkd == QkdPolicy::None) return std::nullopt;
  return fmt::format("{}: peer '{}' is pinned with QKD, which {}", options.peers, dialled->name, kRemedy);
}

std::expected<void, Refused> ChannelSetup::read(const SessionOptions& options) {
  if (options.keys.empty())
    return refuse_usage("--key FILE is needed: this end's private key (make one with: qsp keygen)");
  if (options.peers.empty()) return refuse_usage("--peers FILE is needed: who is pinned (see docs/peers.md)");
  if (role_ == Role::Client && options.keys.size() > 1) return refuse_usage("--key: a client has one key");
  if (role_ == Role::Client && options.peer.empty())
    return refuse_usage("--peer NAME is needed: whom of --peers to dial");
  if (const auto whole = options.kme.check(); !whole) return refuse_usage(whole.error());
  if (const auto read = read_suites(options, shared_.client); !read) return read;
  shared_.server.sae_id = shared_.client.sae_id;
  shared_.server.kems = shared_.client.kems;
  shared_.server.aeads = shared_.client.aeads;
  shared_.server.rekey = shared_.client.rekey;
  shared_.server.qkd = options.qkd == "required"    ? QkdPolicy::Required
                       : options.qkd == "preferred" ? QkdPolicy::Preferred
                                                    : QkdPolicy::None;
  if (!options.signatures.empty()) {
    auto ids = by_names<crypto::SignatureId>("--accept-signature", options.signatures, crypto::signature_by_name,
                                             crypto::kSignatures);
    if (!ids) return std::unexpected(ids.error());
    shared_.server.client_signatures = std::move(*ids);
  }

  const auto provider = crypto::make_openssl_provider();
  if (!provider) return refuse(std::string(provider.error().where));
  files_ = {.keys = options.keys,
            .passphrase_file = options.passphrase_file,
            .peers = options.peers,
            .sae_id = options.sae_id};
  peer_ = options.peer;
  auto trust = Trust::read(**provider, files_);
  if (!trust) return refuse(trust.error());
  trust_.set(*trust);
  const auto peer = dialled(**trust);
  if (!peer) return refuse(peer.error());
  if (auto lack = lacks_sae_id(options, *peer)) return refuse_usage(std::move(*lack));
  auto qkd = QkdKeys::open(options.pads, options.kme);
  if (!qkd) return refuse(qkd.error());
  shared_.qkd = std::move(*qkd);
  shared_.qkd->paces().set(shared_.pace);
  if (auto lack = lacks_qkd_source(**trust)) return refuse_usage(std::move(*lack));
  warn_of_unused_source(*peer);

  // What cannot work is said now, not to the first peer that comes.
  auto sessions = this->sessions();
  if (!sessions) return refuse(sessions.error());
  if (const auto endpoint = (*sessions)->make(false); !endpoint) {
    return refuse_usage(explain_misuse(endpoint.error().where));
  }
  return {};
}

std::string ChannelSetup::describe_stranger(const Presented& presented) const {
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

std::string ChannelSetup::describe_wrong_server(const Presented& presented, const Peer& peer) const {
  std::vector<std::string> pinned;
  for (const PinnedKey& key : peer.keys) pinned.push_back(identity::fingerprint(key.identity));
  if (std::ranges::find(peer.keys, presented.identity, &PinnedKey::identity) == peer.keys.end()) {
    return fmt::format(
        "the server presented {}, but '{}' is pinned as {}; compare both with its operator (qsp fingerprint)",
        identity::fingerprint(presented.identity), peer.name, fmt::join(pinned, " or "));
  }
  if (!presented.sae_id || *presented.sae_id == peer.sae_id) return {};
  return fmt::format(
      "the server's SAE ID is '{}', but '{}' is pinned with '{}': compare its --sae-id with sae_id in {}",
      text::terminal_escape(*presented.sae_id), peer.name, text::terminal_escape(peer.sae_id), files_.peers);
}

std::expected<std::unique_ptr<Sessions>, std::string> ChannelSetup::sessions_of(
    std::shared_ptr<const Trust> trust) const {
  auto provider = crypto::make_openssl_provider();
  if (!provider) return std::unexpected(std::string(provider.error().where));
  auto signers = trust->signers(**provider);
  if (!signers) return std::unexpected(signers.error());
  const auto peer = dialled(*trust);
  if (!peer) return std::unexpected(peer.error());
  return std::make_unique<ChannelSessions>(role_, shared_, trust_, std::move(trust), *peer, std::move(*provider),
                                           std::move(*signers));
}

std::expected<Reloaded, std::string> ChannelSetup::reload(std::size_t threads) {
  const auto provider = crypto::make_openssl_provider();
  if (!provider) return std::unexpected(std::string(provider.error().where));
  const std::shared_ptr<const Trust> before = trust_.get();
  const auto after = Trust::read(**provider, files_, before.get());
  if (!after) return std::unexpected(after.error());
  if (auto lack = lacks_qkd_source(**after)) return std::unexpected(std::move(*lack));
  Reloaded reloaded;
  for (std::size_t i = 0; i < threads; ++i) {
    auto sessions = sessions_of(*after);
    if (!sessions) return std::unexpected(sessions.error());
    reloaded.sessions.push_back(std::move(*sessions));
  }
  reloaded.changes = describe_change(*before, **after);
  trust_.set(*after);
  return reloaded;
}

}  // namespace

void add_session_options(Command& verb, Role role, SessionOptions& options) {
  add_profile_options(verb, options.profile);
  verb.add_option("--key", options.keys,
                  role == Role::Server ? "private key of this end (required); several while a key is rolled, best first"
                                       : "private key of this end (required)")
      ->type_name("FILE");
  verb.add_option("--passphrase-file", options.passphrase_file, "file with the passphrase of an encrypted key")
      ->type_name("FILE");
  verb.add_option("--peers", options.peers, "file of the pinned peers (required; docs/peers.md)")->type_name("FILE");
  if (role == Role::Client)
    verb.add_option("--peer", options.peer, "name of the pinned peer to dial (required)")->type_name("NAME");
  verb.add_option("--sae-id", options.sae_id, "this end's SAE ID (required where QKD keys are used)")->type_name("ID");
  if (role == Role::Server) {
    verb.add_option("--qkd", options.qkd, "QKD keys: the listener's policy before it knows who calls")
        ->check(one_of({"none", "preferred", "required"}))
        ->capture_default_str();
  }
  verb.add_option("--pad", options.pads, "pad file with the QKD keys shared with a peer (docs/pad.md)")
      ->type_name("SAE-ID=FILE");
  add_kme_options(verb, options.kme);
  const auto one_of = [](std::string_view what, const std::vector<std::string>& names) {
    return fmt::format("{}, best first: {}", what, fmt::join(names, ", "));
  };
  verb.add_option("--kem", options.kems, one_of("KEMs", algorithm_names(crypto::kKems)))->capture_default_str();
  verb.add_option("--aead", options.aeads, one_of("AEADs", algorithm_names(crypto::kAeads)))->capture_default_str();
  if (role == Role::Server) {
    verb.add_option("--accept-signature", options.signatures,
                    one_of("signature algorithms accepted from clients (all that are quantum-safe but SLH-DSA)",
                           algorithm_names(crypto::kSignatures)));
    verb.add_flag("--light", options.light, "rekey without a fresh KEM key: forward secrecy only");
  }
  verb.add_option("--rekey-interval", options.rekey_interval, "time between rekeys")
      ->check(is_time(kShortest, kYear))
      ->type_name("TIME")
      ->default_str(text::time_text(from_seconds(options.rekey_interval)));
  verb.add_option("--qkd-rekey-max", options.qkd_rekey_max,
                  role == Role::Server
                      ? "with --kme: time between rekeys at most, while the KME is low on keys [the longest that the "
                        "hard life of an epoch allows: 3m with these timers; as --rekey-interval: never slow down]"
                      : "with --kme: time after which to ask for a rekey where the server, whose keys they cost, puts "
                        "it off [the longest that the hard life of an epoch allows: 3m with these timers]")
      ->check(is_time(kShortest, kYear))
      ->type_name("TIME");
  if (role == Role::Server) {
    verb.add_option("--qkd-low-supply", options.qkd_low_supply,
                    "with --kme: keys that it has left below which rekeys slow down [a tenth of its capacity]")
        ->type_name("KEYS");
  }
  verb.add_option("--rekey-bytes", options.rekey_bytes, "data of an epoch, per direction, after which to rekey")
      ->check(is_size(1, crypto::info(crypto::AeadId::Aes256Gcm).max_bytes / 2))
      ->type_name("SIZE")
      ->default_str(text::size_text(options.rekey_bytes));
  verb.add_option("--rekey-timer", options.rekey_timer, "time that the peer has to answer a rekey; 1m or more")
      ->check(is_time(kShortest, kYear))
      ->type_name("TIME")
      ->default_str(text::time_text(from_seconds(options.rekey_timer)));
  verb.add_flag("--dangerous-short-timers", options.dangerous_short_timers,
                "allow a rekey timer below 1m: for tests and demonstrations only");
}

std::expected<Reloaded, std::string> Setup::reload(std::size_t) {
  return std::unexpected(fmt::format("profile {} has neither keys nor pins to read", profile().name));
}

std::expected<std::unique_ptr<Setup>, Refused> Setup::load(const SessionOptions& options, Role role) {
  const auto profile = choose_profile(options.profile);
  if (!profile) return refuse_usage(profile.error());
  if (!(*profile)->danger.empty()) return std::make_unique<Rc155Setup>(**profile, role);
  auto setup = std::make_unique<ChannelSetup>(**profile, role);
  if (const auto read = setup->read(options); !read) return std::unexpected(read.error());
  return setup;
}

}  // namespace qsp::cli
