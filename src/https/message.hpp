#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "https/client.hpp"
#include "https/https.hpp"
#include "https/input.hpp"
#include "qsp/secret_bytes.hpp"

/// HTTP/1.1 messages (RFC 9112) without a connection: bytes in, messages out.
namespace qsp::https {

enum class Progress : std::uint8_t { NeedsMore, WantsContinue, Done };

struct ReceivedRequest {
  Method method;
  bool head;        ///< HEAD: the answer has no body
  bool keep_alive;  ///< another request may follow
  Target target;
  SecretBytes body;
  std::string host;  ///< as the header fields say; empty where there is none
  std::string origin;
};

/// Whether a request to a plain server of the loopback interface comes from a program of this machine, or from a page
/// that such a server gave out: its Host is a name of the loopback interface (or it has none), and its Origin, which a
/// browser adds, is that host's.
bool is_own_page(std::string_view host, std::string_view origin) noexcept;

/// Reads one request, however it is cut into pieces.
class RequestReader {
 public:
  explicit RequestReader(std::size_t max_body);
  ~RequestReader();

  /// Takes from `input` what belongs to the request. WantsContinue comes at most once: the client waits for
  /// "100 Continue" before it sends the body. The error is the status of a refusal, after which the connection is of no
  /// more use.
  std::expected<Progress, unsigned> feed(Input& input);
  /// All header fields have come.
  [[nodiscard]] bool header_done() const noexcept;
  /// Precondition: Done. Call it once.
  ReceivedRequest take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads one answer to a request other than HEAD; "100 Continue" and its like are skipped.
class ResponseReader {
 public:
  explicit ResponseReader(std::size_t max_body);
  ~ResponseReader();

  /// The error is what is wrong, as a phrase.
  std::expected<Progress, std::string> feed(Input& input);
  /// The server ended the stream properly, which ends some answers. The error likewise.
  std::expected<void, std::string> end();
  /// True once a byte of an answer came.
  [[nodiscard]] bool started() const noexcept;
  /// Precondition: Done, or end() without an error.
  [[nodiscard]] bool keep_alive() const;
  /// Precondition: likewise. Call it once.
  Response take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

SecretBytes write_request(std::string_view host, std::string_view prefix, const Call& call);
/// `head` leaves the body out, but not its length.
SecretBytes write_response(const Response& response, bool head, bool keep_alive);

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace qsp::https
