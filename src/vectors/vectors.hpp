#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsp/channel.hpp"

/// Test vectors of QSP 1.0 (vectors/README.md): scripted sessions, each written down with every secret.
namespace qsp::vectors {

/// What the two KMEs do in a rekey.
enum class Kme : std::uint8_t { Delivers, FailsAtServer, FailsAtClient };

struct PlannedRekey {
  Role asked_by = Role::Server;
  Kme kme = Kme::Delivers;
};

/// Which frame of a session is altered.
enum class Target : std::uint8_t {
  ClientHello,
  ServerAuth,
  ClientAuth,
  ServerFinish,
  ClientData,  ///< the client's second data of epoch 1, so that its direction has an earlier one to replay
  ServerData,  ///< the server's first data of epoch 1
  Ack,         ///< the last ACK
  Done,        ///< the first DONE
};

/// How it is altered. Offsets count from the end where they are negative.
struct Alteration {
  enum class Kind : std::uint8_t {
    Frame,     ///< one byte of the frame as it is on the wire
    Resealed,  ///< one byte of the plaintext, sealed again under the right key and nonce
    Replay,    ///< replaced by the sender's frame before it
  };
  std::string_view description;
  Target target;
  Kind kind;
  int offset = 0;
  std::uint8_t mask = 1;  ///< what the byte is XORed with
};

/// One session from CLIENT_HELLO to CLOSE.
struct Scenario {
  std::string_view name;
  std::string_view description;
  crypto::KemId kem = crypto::KemId::X25519MlKem768;
  crypto::SignatureId signature = crypto::SignatureId::MlDsa65;  ///< of both ends
  crypto::AeadId aead = crypto::AeadId::Aes256Gcm;
  QkdPolicy qkd = QkdPolicy::None;
  bool light = false;
  std::vector<PlannedRekey> rekeys;
  bool client_ends_early = false;  ///< the client's END comes before the last rekey
  std::vector<Alteration> failing;
};

std::span<const Scenario> scenarios();

/// The file of a scenario, the same bytes whenever it is made. `provider` does the cryptography; its random generator
/// is not used. Error: what went wrong, for people.
std::expected<std::string, std::string> make_vector(const Scenario& scenario, crypto::Provider& provider);

}  // namespace qsp::vectors
