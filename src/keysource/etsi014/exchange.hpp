#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "etsi014/etsi014.hpp"
#include "https/client.hpp"
#include "keysource/keysource.hpp"

/// One exchange with a KME: what is asked, and what an answer means. ETSI GS QKD 014 V1.1.1 §5 and §6, and docs/SPEC.md
/// §5.7.
namespace qsp::keysource {

/// How a KME takes the parameters of a key call. The standard has both; KMEs are seen that have one.
enum class Way : std::uint8_t { Post, Get };

constexpr Way other(Way way) noexcept { return way == Way::Post ? Way::Get : Way::Post; }

/// The call for exactly one key of 256 bits. Number and size always stand in it: some KMEs have other defaults.
https::Call key_call(const Request& request, Way way);

https::Call status_call(std::string_view sae_id, Instant deadline);

/// Whether an SAE ID can stand in a URL's path: 1…255 bytes, and not a step through folders.
bool fits_in_url(std::string_view sae_id) noexcept;

struct KeyAnswer {
  Delivered delivered;
  bool simulated;  ///< by the KME's own word
};

/// An answer without a key.
struct Refusal {
  std::string text;        ///< "answered 503: …"
  bool again = false;      ///< a definite no, which may become a key later
  bool wrong_way = false;  ///< the KME may take the other way
};

/// What a whole answer to a key call means. Not checked: whether the key was delivered before.
std::expected<KeyAnswer, Refusal> read_key_answer(const Request& request, const https::Response& response);

/// What an answer to the status call says, or why it says nothing.
std::expected<etsi014::Status, std::string> read_status_answer(const https::Response& response);

/// Printable ASCII stays, a backslash is doubled, all else becomes \xNN; cut at 200 bytes.
std::string escaped_for_log(std::string_view text);

}  // namespace qsp::keysource
