#include "https/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "https/retry_after.hpp"
#include "https/url.hpp"

namespace qsp::https {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

using Body = http::vector_body<char, WipingAllocator<char>>;
SecretBytes body_of(const Body::value_type& body) {
  return SecretBytes::copy_of(std::string_view(body.data(), body.size()));
}

constexpr std::size_t kMaxInterimAnswers = 8;
constexpr std::size_t kMaxFirstLine = kMaxTargetSize + 64;  ///< a method, a version and what stands between

enum class Status : unsigned {
  BadRequest = 400,
  BodyTooLarge = 413,
  TargetTooLong = 414,
  ExpectationFailed = 417,
  FieldsTooLarge = 431,
  NotImplemented = 501,
};

/// Why a message was refused, by either end.
enum class Fault : std::uint8_t { Malformed, TargetTooLong, FieldsTooLarge, BodyTooLarge };

std::string_view as_view(beast::string_view text) { return {text.data(), text.size()}; }

/// Beast's parser and the bound of all header fields together, which it lacks: it forgets a field once it has read it.
template <bool IsRequest>
class Parser {
 public:
  explicit Parser(std::size_t max_body) {
    parser_.header_limit(Input::kCapacity);
    parser_.body_limit(max_body);
  }

  [[nodiscard]] const auto& message() const { return parser_.get(); }
  [[nodiscard]] auto release() { return parser_.release(); }
  [[nodiscard]] bool header_done() const { return parser_.is_header_done(); }
  [[nodiscard]] bool done() const { return parser_.is_done(); }
  [[nodiscard]] bool started() const { return parser_.got_some(); }
  [[nodiscard]] bool keep_alive() const { return parser_.keep_alive(); }

  /// Takes up to the end of the header, or of the body once that is reached. True where the end is reached.
  std::expected<bool, Fault> feed(Input& input) {
    const bool in_header = !header_done();
    parser_.eager(!in_header);
    while (!input.empty() && !done() && header_done() != in_header) {
      error_code failed;
      const std::string_view text = input.text();
      const bool first_line_fits = std::min(text.find('\n'), text.size()) <= kMaxFirstLine;
      const std::size_t taken = parser_.put(boost::asio::const_buffer(text.data(), text.size()), failed);
      const bool folded = IsRequest && in_header && has_fold(text.substr(0, taken));
      input.consume(taken);
      if (folded) return std::unexpected(Fault::Malformed);
      if (in_header) {
        header_size_ += taken;
        if (header_size_ > start_line_size() + kMaxHeaderSize) return std::unexpected(Fault::FieldsTooLarge);
      }
      const bool stuck = failed == http::error::need_more && input.full();
      if (failed == http::error::header_limit || (in_header && stuck)) {
        return std::unexpected(header_size_ > 0 || first_line_fits ? Fault::FieldsTooLarge : Fault::TargetTooLong);
      }
      if (failed == http::error::body_limit) return std::unexpected(Fault::BodyTooLarge);
      if (failed == http::error::need_more && !stuck) return false;
      if (failed) return std::unexpected(Fault::Malformed);
    }
    return in_header ? header_done() : done();
  }

  /// The stream has ended. True where that ends the message.
  bool end() {
    if (!parser_.got_some() || done()) return done();
    error_code failed;
    parser_.put_eof(failed);
    return !failed && done();
  }

  /// RFC 9112 §6.1. A coding that is not decoded would leave in doubt where the message ends.
  [[nodiscard]] bool body_is_understood() const {
    if (parser_.get().count(http::field::transfer_encoding) == 0) return true;
    return parser_.get().version() >= 11 && parser_.chunked() &&
           beast::iequals(parser_.get()[http::field::transfer_encoding], "chunked");
  }

 private:
  /// RFC 9112 §5.2: a server refuses a field that goes on in the next line, which others may read otherwise.
  bool has_fold(std::string_view header) noexcept {
    for (const char c : header) {
      if (line_begins_ && (c == ' ' || c == '\t')) return true;
      line_begins_ = c == '\n';
    }
    return false;
  }
  [[nodiscard]] std::size_t start_line_size() const {
    constexpr std::size_t kAround = 12;  // two spaces, "HTTP/1.1" and the line's end
    if constexpr (IsRequest) {
      return message().method_string().size() + message().target().size() + kAround;
    } else {
      return message().reason().size() + 3 + kAround;
    }
  }

  http::parser<IsRequest, Body> parser_;
  std::size_t header_size_ = 0;
  bool line_begins_ = false;
};

/// A header field's value in a text for a person.
std::string printable(std::string_view value) {
  constexpr std::size_t kMost = 40;
  const bool plain = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
  return std::string(plain && value.size() <= kMost ? value : std::string_view("an odd one"));
}

Status refusal(Fault fault) noexcept {
  switch (fault) {
    case Fault::Malformed:
      return Status::BadRequest;
    case Fault::TargetTooLong:
      return Status::TargetTooLong;
    case Fault::FieldsTooLarge:
      return Status::FieldsTooLarge;
    case Fault::BodyTooLarge:
      return Status::BodyTooLarge;
  }
  return Status::BadRequest;
}

std::string_view describe(Fault fault) noexcept {
  switch (fault) {
    case Fault::Malformed:
      return "its answer is no HTTP/1.1";
    case Fault::TargetTooLong:
      return "its answer's first line is too long";
    case Fault::FieldsTooLarge:
      return "its answer's header fields are too large";
    case Fault::BodyTooLarge:
      return "its answer is larger than allowed";
  }
  return "";
}

Method method_of(http::verb verb) noexcept {
  if (verb == http::verb::get) return Method::Get;
  return verb == http::verb::post ? Method::Post : Method::Other;
}

std::string_view name(Method method) noexcept { return method == Method::Post ? "POST" : "GET"; }

}  // namespace

bool is_own_page(std::string_view host, std::string_view origin) noexcept {
  constexpr std::string_view kPlain = "http://";
  if (!origin.empty() && (!origin.starts_with(kPlain) || origin.substr(kPlain.size()) != host)) return false;
  if (host.empty()) return true;
  const std::size_t bracket = host.find(']');
  std::string_view name = host.substr(0, host.find(':', bracket == std::string_view::npos ? 0 : bracket));
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  if (beast::iequals({name.data(), name.size()}, "localhost")) return true;
  error_code failed;
  const auto address = boost::asio::ip::make_address(name, failed);
  return !failed && address.is_loopback();
}

struct RequestReader::State {
  explicit State(std::size_t max_body) : parser(max_body) {}

  /// What is wrong with a header that was read whole.
  std::optional<Status> check_header() {
    const auto& message = parser.message();
    if (message.target().size() > kMaxTargetSize) return Status::TargetTooLong;
    if (!parser.body_is_understood()) return Status::NotImplemented;
    // RFC 9112 §3.2
    if (message.version() >= 11 && message.count(http::field::host) != 1) return Status::BadRequest;
    if (message.count(http::field::host) > 1 || message.count(http::field::origin) > 1) return Status::BadRequest;
    if (message.count(http::field::expect) != 0 && !expects_continue()) return Status::ExpectationFailed;
    target = parse_target(as_view(message.target()));
    if (!target || !is_visible(as_view(message.target()))) return Status::BadRequest;
    return std::nullopt;
  }
  [[nodiscard]] bool expects_continue() const {
    return beast::iequals(parser.message()[http::field::expect], "100-continue");
  }

  Parser<true> parser;
  bool header_checked = false;
  std::optional<Target> target;
};

RequestReader::RequestReader(std::size_t max_body) : state_(std::make_unique<State>(max_body)) {}
RequestReader::~RequestReader() = default;

std::expected<Progress, unsigned> RequestReader::feed(Input& input) {
  Parser<true>& parser = state_->parser;
  const auto refuse = [](Status status) { return std::unexpected(std::to_underlying(status)); };
  bool wants_continue = false;
  if (!state_->header_checked) {
    const std::expected<bool, Fault> whole = parser.feed(input);
    if (!whole) return refuse(refusal(whole.error()));
    if (!*whole) return Progress::NeedsMore;
    if (const std::optional<Status> wrong = state_->check_header()) return refuse(*wrong);
    state_->header_checked = true;
    wants_continue = parser.message().version() >= 11 && input.empty() && state_->expects_continue();
  }
  if (parser.done()) return Progress::Done;
  const std::expected<bool, Fault> whole = parser.feed(input);
  if (!whole) return refuse(refusal(whole.error()));
  if (*whole) return Progress::Done;
  return wants_continue ? Progress::WantsContinue : Progress::NeedsMore;
}

bool RequestReader::header_done() const noexcept { return state_->header_checked; }

ReceivedRequest RequestReader::take() {
  const bool keep_alive = state_->parser.keep_alive();
  const auto message = state_->parser.release();
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): feed is done only once check_header has set it
  Target& target = *state_->target;
  return {.method = method_of(message.method()),
          .head = message.method() == http::verb::head,
          .keep_alive = keep_alive,
          .target = std::move(target),
          .body = body_of(message.body()),
          .host = std::string(as_view(message[http::field::host])),
          .origin = std::string(as_view(message[http::field::origin]))};
}

struct ResponseReader::State {
  explicit State(std::size_t limit) : max_body(limit), slot(std::in_place, limit) {}

  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): never empty
  Parser<false>& parser() noexcept { return *slot; }

  std::size_t max_body;
  std::optional<Parser<false>> slot;  ///< so that a new parser can be made in its place
  std::size_t interim_answers = 0;
};

ResponseReader::ResponseReader(std::size_t max_body) : state_(std::make_unique<State>(max_body)) {}
ResponseReader::~ResponseReader() = default;

std::expected<Progress, std::string> ResponseReader::feed(Input& input) {
  for (;;) {
    Parser<false>& parser = state_->parser();
    const bool in_header = !parser.header_done();
    const std::expected<bool, Fault> whole = parser.feed(input);
    if (!whole) return std::unexpected(std::string(describe(whole.error())));
    if (!*whole) return Progress::NeedsMore;
    if (!in_header) return Progress::Done;
    const auto& message = parser.message();
    if (!parser.body_is_understood()) {
      return std::unexpected("its answer has a transfer coding that is not understood: " +
                             printable(as_view(message[http::field::transfer_encoding])));
    }
    const unsigned status = message.result_int();
    // RFC 9110 §8.4. Of an error the status alone says enough.
    const std::string_view coding = as_view(message[http::field::content_encoding]);
    if (status / 100 == 2 && !coding.empty() && !beast::iequals(message[http::field::content_encoding], "identity")) {
      return std::unexpected("its answer is compressed, which was not asked for: Content-Encoding " +
                             printable(coding) + " (switch it off at the server, or at the gateway before it)");
    }
    if (status / 100 != 1) {
      if (parser.done()) return Progress::Done;
    } else if (status == 101 || ++state_->interim_answers > kMaxInterimAnswers) {
      return std::unexpected("its answer does not fit the request");
    } else {
      state_->slot.emplace(state_->max_body);
    }
  }
}

std::expected<void, std::string> ResponseReader::end() {
  if (state_->parser().end()) return {};
  return std::unexpected(started() ? "it ended the connection in the middle of its answer"
                                   : "it ended the connection without an answer");
}

bool ResponseReader::started() const noexcept { return state_->interim_answers != 0 || state_->parser().started(); }

bool ResponseReader::keep_alive() const { return state_->parser().keep_alive(); }

Response ResponseReader::take() {
  const auto message = state_->parser().release();
  Response response{.status = message.result_int(),
                    .body = body_of(message.body()),
                    .content_type = std::string(as_view(message[http::field::content_type])),
                    .retry_after = {}};
  const auto wait = parse_retry_after(as_view(message[http::field::retry_after]), as_view(message[http::field::date]),
                                      std::chrono::system_clock::now());
  if (wait) response.retry_after = static_cast<unsigned>(wait->count());
  return response;
}

SecretBytes write_request(std::string_view host, std::string_view prefix, const Call& call) {
  const std::string_view body = call.method == Method::Post ? call.body.reveal_text() : std::string_view();
  std::string header =
      fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n",
                  name(call.method), prefix, call.target, host);
  if (call.method == Method::Post) {
    header += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  }
  header += "\r\n";
  SecretBytes text;
  text.reserve(header.size() + body.size());
  text.append(header);
  text.append(body);
  return text;
}

SecretBytes write_response(const Response& response, bool head, bool keep_alive) {
  const std::string_view body = response.body.reveal_text();
  std::string header = fmt::format("HTTP/1.1 {} {}\r\nCache-Control: no-store\r\nConnection: {}\r\n", response.status,
                                   as_view(http::obsolete_reason(http::int_to_status(response.status))),
                                   keep_alive ? "keep-alive" : "close");
  header += fmt::format("Content-Length: {}\r\n", body.size());
  if (!body.empty()) header += fmt::format("Content-Type: {}\r\n", response.content_type);
  if (response.retry_after) header += fmt::format("Retry-After: {}\r\n", *response.retry_after);
  header += "\r\n";
  SecretBytes text;
  text.reserve(header.size() + body.size());
  text.append(header);
  if (!head) text.append(body);
  return text;
}

}  // namespace qsp::https
