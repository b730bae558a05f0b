#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/secret.hpp"

/// The JSON of ETSI GS QKD 014 V1.1.1 §6, both ways. Reading is strict: UTF-8 JSON, no member twice, the types that the
/// standard says, exact base64, every length bounded before memory is spent on it; members that are not of the standard
/// are skipped, and optional ones that are null are as good as absent. Whatever held a key is wiped.
namespace qsp::etsi014 {

inline constexpr std::size_t kMaxSaeIdSize = 255;        ///< bytes; also of a KME ID
inline constexpr std::size_t kMaxKeysPerMessage = 1024;  ///< of a container or a list of IDs; ours, not the standard's
inline constexpr std::size_t kMaxKeySize = 512;          ///< bytes
inline constexpr std::size_t kMaxAdditionalSaes = 64;
inline constexpr std::size_t kMaxExtensions = 64;
inline constexpr std::size_t kMaxTextSize = 1024;  ///< of a message or key_ID; longer is an error
inline constexpr std::size_t kMaxDepth = 16;       ///< of nested JSON

/// A key of a KME, as long as was asked for.
using KeyMaterial = Secret<kMaxKeySize, struct KmeKeyTag>;

/// Ours, in status_extension {"link": …}, which the standard leaves to implementations: what a KME was told of the link
/// behind its keys. Written, and skipped by what reads a status.
struct LinkHealth {
  std::string state;   ///< "running", "aborting" or "down"
  std::string reason;  ///< why it is not running; may be empty
  std::optional<double> s, qber;
  std::uint64_t age = 0;  ///< seconds since it was told
};

/// §6.1; sizes in bits.
struct Status {
  std::string source_kme_id, target_kme_id, master_sae_id, slave_sae_id;
  std::uint64_t key_size = 0, stored_key_count = 0, max_key_count = 0, max_key_per_request = 0;
  std::uint64_t max_key_size = 0, min_key_size = 0, max_sae_id_count = 0;
  bool simulated = false;  ///< ours: status_extension {"simulated": true}
  std::optional<LinkHealth> link{};
};

/// §6.2.
struct KeyRequest {
  std::optional<std::uint64_t> number;  ///< default 1
  std::optional<std::uint64_t> size;    ///< bits; default the KME's key_size
  std::vector<std::string> additional_slave_sae_ids;
  bool extension_mandatory = false;  ///< one or more were given: we know none, and must refuse
};

struct Key {
  std::string key_id;
  KeyMaterial key;
  bool simulated = false;  ///< ours: {"simulated": true} in the extension of the key, its ID or the container
};

/// §6.3. Without keys where "keys" is empty or null, or the object is: some KMEs say in this way that they have none.
struct KeyContainer {
  std::vector<Key> keys;
};

/// §6.4.
struct KeyIds {
  std::vector<std::string> key_ids;
};

/// §6.5.
struct Error {
  std::string message;
  std::vector<std::pair<std::string, std::string>> details;  ///< name, value; others are skipped
};

/// What is wrong with a text: one line for a person that quotes none of it.
template <class T>
using Parsed = Result<T, std::string>;

Parsed<Status> parse_status(std::string_view json);
Parsed<KeyRequest> parse_key_request(std::string_view json);  ///< an empty body is a request of defaults
Parsed<KeyContainer> parse_key_container(std::string_view json);
Parsed<KeyIds> parse_key_ids(std::string_view json);
Parsed<Error> parse_error(std::string_view json);
/// Whether a text is one whole JSON object, as every message is: then nothing of it was cut off.
bool is_whole(std::string_view json);

SecretBytes to_json(const Status& status);
SecretBytes to_json(const KeyRequest& request);  ///< without extensions: we know none
SecretBytes to_json(const KeyContainer& container);
SecretBytes to_json(const KeyIds& ids);
SecretBytes to_json(const Error& error);

// The texts that §5 fixes for 400.
inline constexpr std::string_view kSizeNotMultipleOf8 = "size shall be a multiple of 8";
inline constexpr std::string_view kExtensionUnknown = "not all extension_mandatory parameters are supported";
inline constexpr std::string_view kExtensionUnmet = "not all extension_mandatory request options could be met";
inline constexpr std::string_view kKeyNotFound = "one or more keys specified are not found on KME";

}  // namespace qsp::etsi014
