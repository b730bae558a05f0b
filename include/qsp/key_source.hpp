#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "qsp/endpoint.hpp"
#include "qsp/error.hpp"
#include "qsp/export.hpp"

/// Where the keys of a QKD link come from: a pad file, a KME behind ETSI GS QKD 014, or what a program brings itself.
namespace qsp::keysource {

/// One key asked for, as the event QkdKeyNeeded says it.
using Request = QkdKeyNeeded;

struct Failed {
  QkdFailure why;
  std::string text;  ///< for a log, which escapes it: it may quote what others wrote; holds no secret
};

using Answer = Result<DeliveredKey, Failed>;

/// Takes the answer to one fetch.
using Done = std::move_only_function<void(Answer)>;

/// Names a fetch under way, for cancel.
using Ticket = std::uint64_t;

struct SourceStatus {
  std::string description;                 ///< for people, such as "pad file /var/lib/qsp/bank.pad"
  bool simulated = false;                  ///< from a simulated link: no quantum security (say so wherever it shows)
  std::optional<std::uint64_t> keys_left;  ///< for enc_keys at this end, where it is known
};

/// How well a source that is filled again is stocked, as it said itself.
struct Supply {
  std::optional<std::uint64_t> keys;  ///< for enc_keys at this end; nothing: it never said
  std::uint64_t capacity = 0;         ///< it holds at most
  std::chrono::nanoseconds age{};     ///< of this knowledge
  std::uint64_t failures = 0;         ///< questions that got no answer so far
  std::string problem;                ///< of the last question, as Failed::text; empty where it was answered
};

/// A source of QKD keys, shared by the sessions of a process. Asynchronous in shape: a source that has its keys at hand
/// answers before fetch returns, one that asks over a network answers later, from the event loop that it was made with.
/// Sessions of qsp/tcp.hpp call it from several threads, and may be answered on any. It does not throw.
class QSP_EXPORT KeySource {
 public:
  virtual ~KeySource() = default;

  /// Asks for a new key (enc_keys: no key_id) or for the one with this ID (dec_keys), for the peer with this SAE ID.
  /// Calls `done` exactly once, unless cancelled. A source that can, retries until the deadline; past it the answer is
  /// a failure. A key delivered is spent, whatever becomes of it.
  virtual Ticket fetch(Request request, Done done) = 0;

  /// `done` will not be called any more; a key that arrives later is burned. Does nothing for a fetch that was
  /// answered.
  virtual void cancel(Ticket ticket) = 0;

  /// What is known, without asking anybody, of the keys shared with the peer of this SAE ID; nothing for an unknown
  /// one.
  [[nodiscard]] virtual std::optional<SourceStatus> status(std::string_view sae_id) const = 0;

  /// What is known of the supply of keys shared with the peer of this SAE ID; asks for newer figures behind the scenes
  /// where these are old, and never waits. Nothing: what the source had at first is all that it will have.
  virtual std::optional<Supply> supply(std::string_view /*sae_id*/) { return std::nullopt; }
};

}  // namespace qsp::keysource
