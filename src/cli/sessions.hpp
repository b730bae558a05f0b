#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/app.hpp"
#include "cli/kme_keys.hpp"
#include "cli/profile.hpp"
#include "cli/rekey_pace.hpp"
#include "net/connection.hpp"
#include "qsp/channel.hpp"

/// What serve and connect need to make sessions of either profile: keys, pinned peers, sources of QKD keys, policies.
namespace qsp::cli {

class Command;

struct SessionOptions {
  ProfileChoice profile;
  std::vector<std::string> keys;  ///< private key files, best first; a client has one
  std::string passphrase_file;
  std::string peers;  ///< file
  std::string peer;   ///< client: the name of the one that is dialled
  std::string sae_id;
  std::string qkd = "none";       ///< server: of the listener
  std::vector<std::string> pads;  ///< "SAE-ID=FILE"
  KmeOptions kme;
  std::vector<std::string> kems{"X25519MLKEM768"};
  std::vector<std::string> aeads{"AES-256-GCM", "ChaCha20-Poly1305"};
  std::vector<std::string> signatures;  ///< server: of clients; empty: all that are quantum-safe
  double rekey_interval = 120;          ///< seconds
  std::uint64_t rekey_bytes = std::uint64_t{1} << 36;
  double rekey_timer = 180;
  std::optional<double> qkd_rekey_max;  ///< seconds; nothing: as long as an epoch's hard life allows
  std::optional<std::uint64_t> qkd_low_supply;
  bool light = false;
  bool dangerous_short_timers = false;
};

/// Adds --profile and what belongs to it.
void add_session_options(Command& verb, Role role, SessionOptions& options);

/// Makes the sessions of one thread.
class Sessions {
 public:
  virtual ~Sessions() = default;
  /// `without_qkd`: the one dial of SPEC §5.9. Error: see Channel::client and Channel::server.
  virtual Result<std::unique_ptr<Endpoint>> make(bool without_qkd) = 0;
  /// Where their QKD keys come from; null where they need none. Lives as long as this object.
  [[nodiscard]] virtual net::KeyDelivery* delivery() noexcept { return nullptr; }
  /// Why an established session of these may not go on under the pins as they are now; nothing: it may.
  [[nodiscard]] virtual std::optional<std::string> objection(const ChannelStatus&) const { return std::nullopt; }
};

/// Why a verb cannot start: one line, and the exit code.
struct Refused {
  int code;
  std::string text;
};
inline std::unexpected<Refused> refuse(std::string text) { return std::unexpected(Refused{kFailed, std::move(text)}); }
inline std::unexpected<Refused> refuse_usage(std::string text) {
  return std::unexpected(Refused{kUsage, std::move(text)});
}

/// What a second reading of keys and pins gave.
struct Reloaded {
  std::vector<std::unique_ptr<Sessions>> sessions;  ///< for each thread, under what was read
  std::string changes;                              ///< one phrase for a log
};

/// What one process shares, for every thread: options, which stay; keys and pins, which reload() reads anew.
class Setup {
 public:
  virtual ~Setup() = default;
  static std::expected<std::unique_ptr<Setup>, Refused> load(const SessionOptions& options, Role role);

  [[nodiscard]] virtual const Profile& profile() const noexcept = 0;
  /// The files that say whom this end trusts, besides those that its options name.
  [[nodiscard]] virtual std::vector<std::string> pinned_key_files() const { return {}; }
  /// For one more thread; used on that thread alone, and not after this object. Error: one line.
  virtual std::expected<std::unique_ptr<Sessions>, std::string> sessions() = 0;
  /// Reads keys, passphrase and pins anew, and makes the sessions of so many threads. All or nothing: on an error, one
  /// line, everything stays as it was. From any thread, on one at a time. Asks nobody.
  virtual std::expected<Reloaded, std::string> reload(std::size_t threads);
  /// No QKD key comes any more from now on. Call it before the loops of the sessions end.
  virtual void stop_keys() {}
  [[nodiscard]] virtual SupplyCounts supply_counts() const { return {}; }
  /// What a failed handshake is worth knowing of whom the peer said it is, for this end's own log and user; empty: it
  /// is who was expected. Nothing of it goes to the peer (SPEC §5.8).
  [[nodiscard]] virtual std::string describe_stranger(const Presented&) const { return {}; }
  /// How long an application may leave the data of a session untouched (SPEC §7.7).
  [[nodiscard]] virtual std::chrono::nanoseconds stall_limit() const noexcept { return std::chrono::seconds(180); }
};

}  // namespace qsp::cli
