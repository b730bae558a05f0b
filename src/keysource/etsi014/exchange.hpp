#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "etsi014/etsi014.hpp"
#include "https/client.hpp"
#include "qsp/key_source.hpp"

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
  DeliveredKey delivered;
  bool simulated;  ///< by the KME's own word
};

/// An answer without a key.
struct Refusal {
  std::string text;             ///< "answered 503: …"
  bool again = false;           ///< the same call may bring a key later (SPEC §5.7)
  std::chrono::seconds wait{};  ///< but not before, as the KME says (RFC 9110 §10.2.3)
  bool may_have_cost = false;   ///< a key may be gone with it, such as behind a gateway that gave up
  bool wrong_way = false;       ///< the KME may take the other way
  bool way_is_refused = false;  ///< and this one it does not take: 404 may mean something else
};

/// What a whole answer to a key call means. Not checked: whether the key was delivered before.
Result<KeyAnswer, Refusal> read_key_answer(const Request& request, const https::Response& response);

/// What an answer to the status call says, or why it says nothing.
Result<etsi014::Status, std::string> read_status_answer(const https::Response& response);

}  // namespace qsp::keysource
