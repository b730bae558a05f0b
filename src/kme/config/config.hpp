#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/file.hpp"
#include "https/https.hpp"

/// The configuration of a KME (docs/kme.md), a TOML file.
namespace qsp::kme {

/// A secure application entity of this site.
struct SaeConfig {
  std::string id;
  std::string fingerprint;  ///< of its certificate; empty: any that a CA of ours names `id`, as common name or URI
};

/// Where the keys of a link come from.
enum class ProducerKind : std::uint8_t {
  Peer,    ///< the other KME has the producer
  Random,  ///< this KME draws them and sends them over: simulated, no quantum security
  Feed,    ///< both sides get them from outside (`qsp kme import`, `qsp e91 alice`), and compare IDs
};

struct PeerLinkConfig {
  std::string name;                    ///< the same at both ends
  std::string peer_kme_id;             ///< what the peer's certificate must say, as common name or URI
  std::vector<std::string> urls;       ///< of the peer's KME, or of those that share its store, in order of preference
  std::string server_name;             ///< its certificate's name where it is not the host of the URL
  std::vector<std::string> peer_saes;  ///< SAE IDs at the other site
  char side = 'a';                     ///< 'a' at one end, 'b' at the other
  ProducerKind producer = ProducerKind::Peer;
  std::vector<std::string> feeders;  ///< of Feed: names of the certificates that may bring keys
  std::uint64_t pool = 10'000;       ///< keys at most, half of them for each side to hand out
  std::chrono::seconds key_life{86'400};
};

struct Config {
  std::string kme_id;
  std::string address = "127.0.0.1";
  std::uint16_t port = 8443;
  std::optional<std::uint16_t> admin_port;     ///< on the loopback interface; nothing: none; 0: any free one
  std::string store;                           ///< "sqlite:FILE" or "postgresql://…"
  bool dangerous_unverified_database = false;  ///< PostgreSQL on another machine without checked TLS
  https::TlsFiles tls;
  std::vector<SaeConfig> saes;
  std::vector<PeerLinkConfig> links;
  std::uint32_t key_size = 256;  ///< bits, where an SAE does not say
  std::uint32_t max_keys_per_request = 128;
  double requests_per_second = 500;  ///< of one SAE, with bursts of as many
  double keys_per_second = 10'000;   ///< likewise, each of up to 256 bits
  std::size_t max_connections = 1024;
  std::size_t max_connections_per_source = 256;
};

inline constexpr std::size_t kMaxConfigSize = std::size_t{1} << 20;
inline constexpr std::size_t kMaxSaes = 10'000;
inline constexpr std::size_t kMaxLinks = 64;

/// Reads a configuration. File names in it are relative to its folder. Errors: those of config::Document and
/// config::Table.
files::OrText<Config> read_config(const std::string& file);

/// Whether a verified certificate is that of `name`: as common name, or as one of its URIs.
bool is_named(const https::PeerIdentity& peer, std::string_view name) noexcept;

/// The SAE that a certificate is for, or null.
const SaeConfig* sae_of(const Config& config, const https::PeerIdentity& peer) noexcept;

/// The link behind which an SAE ID lives, or null.
const PeerLinkConfig* link_to(const Config& config, std::string_view sae_id) noexcept;

}  // namespace qsp::kme
