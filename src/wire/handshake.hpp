#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "qsp/bytes.hpp"
#include "qsp/error.hpp"

/// The handshake messages of SPEC §5 as bytes and as fields. Nothing here knows what a code point or a key means.
/// Parsed views point into the input. Every parser's error is InvalidMessage/PROTOCOL_ERROR.
namespace qsp::wire {

inline constexpr std::uint16_t kVersion1 = 0x0100;
inline constexpr std::size_t kMessageHeaderSize = 4;
inline constexpr std::size_t kMaxListItems = 8;
inline constexpr std::size_t kMaxName = 255;  ///< SAE IDs and application protocols, bytes
inline constexpr std::size_t kKeyIdSize = 36;
inline constexpr std::size_t kMaxCloseText = 1'024;

enum class MessageType : std::uint8_t {
  ClientHello = 1,
  ServerHello = 2,
  ServerAuth = 3,
  ClientAuth = 4,
  ServerFinish = 5,
  Alert = 254,
};

using Random = std::array<std::uint8_t, 32>;

/// A fixed-capacity list in the order of preference, without repeats.
template <class T>
class List {
 public:
  [[nodiscard]] const T* begin() const noexcept { return items_.data(); }
  [[nodiscard]] const T* end() const noexcept { return items_.data() + size_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool full() const noexcept { return size_ == kMaxListItems; }
  /// Precondition: not full.
  void push_back(T item) noexcept { items_[size_++] = item; }

 private:
  std::array<T, kMaxListItems> items_{};
  std::size_t size_ = 0;
};

using CodeList = List<std::uint16_t>;
using NameList = List<Bytes>;

struct KemShare {
  std::uint16_t kem{};
  Bytes public_key;
};

struct ClientHello {
  CodeList versions;
  Random nonce{};
  List<KemShare> shares;
  CodeList signatures;
  CodeList aeads;
  std::uint8_t qkd_offer{};  ///< 0, 1 or 2
  NameList applications;     ///< empty: not offered
};

struct ServerHello {
  std::uint16_t version{};
  Random nonce{};
  std::uint64_t session_id{};
  std::uint16_t kem{};
  std::uint16_t signature{};
  std::uint16_t aead{};
  std::uint8_t qkd_mode{};  ///< 0 or 1
  Bytes kem_ciphertext;
};

struct ServerAuth {
  Random identity{};
  CodeList signatures;
  std::string_view sae_id;       ///< mode 1 only
  std::string_view application;  ///< empty: none agreed
  Bytes signature;
  Bytes signed_part;  ///< the message up to the signature's length field
};

struct ClientAuth {
  Random identity{};
  std::uint16_t signature_algorithm{};
  std::string_view sae_id;  ///< mode 1 only, as is key_id
  std::string_view key_id;
  Bytes signature;
  std::array<std::uint8_t, 32> confirm{};
  Bytes signed_part;
  Bytes up_to_confirm;  ///< includes the signature and its length
};

struct ServerFinish {
  std::array<std::uint8_t, 32> confirm{};
  Bytes up_to_confirm;
};

struct Alert {
  Reason reason{};
  std::string_view text;  ///< untrusted
};

/// At most kMaxCloseText bytes of what an ALERT or a CLOSE is to say, never half of a UTF-8 sequence.
std::string_view cut_text(std::string_view text) noexcept;

/// The type of a whole handshake message, after its length field was checked against its size.
Result<MessageType> message_type(Bytes message) noexcept;

Result<ClientHello> parse_client_hello(Bytes message) noexcept;
Result<ServerHello> parse_server_hello(Bytes message) noexcept;
Result<ServerAuth> parse_server_auth(Bytes message, bool qkd) noexcept;
Result<ClientAuth> parse_client_auth(Bytes message, bool qkd) noexcept;
Result<ServerFinish> parse_server_finish(Bytes message) noexcept;
Result<Alert> parse_alert(Bytes message) noexcept;

/// The whole message. Preconditions: lists of 1…8 items (applications 0…8) and names within kMaxName.
std::vector<std::uint8_t> encode(const ClientHello& message);
std::vector<std::uint8_t> encode(const ServerHello& message);
std::vector<std::uint8_t> encode(const Alert& message);

/// SERVER_AUTH and CLIENT_AUTH up to the signature, with the final length for a signature of `signature_size` bytes
/// (the `signature`, `confirm` and view fields of the argument are not read); the caller signs and appends the rest.
std::vector<std::uint8_t> encode_to_signature(const ServerAuth& message, bool qkd, std::size_t signature_size);
std::vector<std::uint8_t> encode_to_signature(const ClientAuth& message, bool qkd, std::size_t signature_size);
void append_signature(std::vector<std::uint8_t>& message, Bytes signature);
/// SERVER_FINISH without its confirm, with its final length.
std::vector<std::uint8_t> encode_server_finish_to_confirm();

}  // namespace qsp::wire
