#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/connection.hpp"
#include "node/end_config.hpp"
#include "node/log.hpp"
#include "node/profile.hpp"
#include "node/refused.hpp"
#include "node/rekey_pace.hpp"
#include "qsp/channel.hpp"

/// This end of all sessions of a node: its keys, the pinned peers, the sources of its QKD keys, its policies.
namespace qsp::node {

/// Makes the endpoints of one thread.
class EndpointFactory {
 public:
  virtual ~EndpointFactory() = default;
  /// `without_qkd`: the one dial of SPEC §5.9. Error: see Channel::client and Channel::server.
  virtual Result<std::unique_ptr<Endpoint>> make(bool without_qkd) = 0;
  /// Where their QKD keys come from; null where they need none. Lives as long as this object.
  [[nodiscard]] virtual net::KeyDelivery* delivery() noexcept { return nullptr; }
  /// Why an established session of these may not go on under the pins as they are now; nothing: it may.
  [[nodiscard]] virtual std::optional<std::string> objection(const ChannelStatus&) const { return std::nullopt; }
};

/// What a second reading of keys and pins gave.
struct Reloaded {
  std::vector<std::unique_ptr<EndpointFactory>> endpoints;  ///< for each thread, under what was read
  std::string changes;                                      ///< one phrase for a log
};

/// What all threads of a node share: its configuration, which stays; keys and pins, which reload() reads again.
class LocalEnd {
 public:
  virtual ~LocalEnd() = default;
  /// Reads all files that the configuration names. `log`: where it tells what becomes of QKD keys.
  static std::expected<std::unique_ptr<LocalEnd>, Refused> load(const EndConfig& config, Role role, Log log = {});

  [[nodiscard]] virtual const Profile& profile() const noexcept = 0;
  /// What load() found that is allowed, but probably not meant: one line each.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
  /// The files that say whom this end trusts, besides those that its configuration names.
  [[nodiscard]] virtual std::vector<std::string> pinned_key_files() const { return {}; }
  /// The names of the pinned peers, as they are now. From any thread.
  [[nodiscard]] virtual std::vector<std::string> peer_names() const { return {}; }
  /// For one more thread; used on that thread alone, and not after this object. Error: one line.
  virtual std::expected<std::unique_ptr<EndpointFactory>, std::string> endpoints() = 0;
  /// Reads keys, passphrase and pins again, and makes the endpoints of so many threads. All or nothing: on an error,
  /// one line, everything stays as it was. From any thread, on one at a time. Asks nobody.
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

}  // namespace qsp::node
