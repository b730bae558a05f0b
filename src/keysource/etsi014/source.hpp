#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "https/client.hpp"
#include "keysource/etsi014/schedule.hpp"
#include "qsp/key_source.hpp"

namespace qsp::keysource {

/// How to reach a server of this site's KME, of which there may be several that share their keys.
struct KmeServer {
  std::string url;  ///< for people
  std::unique_ptr<https::Client> client;
};

/// One more enc_keys for the same fetch, after one that brought no key.
struct FurtherCall {
  const std::string& sae_id;
  std::size_t number;      ///< of the call in its fetch: 2 or more
  std::size_t burned;      ///< keys that may be gone with the calls before
  const std::string& why;  ///< what the last one brought, as Failed::text
};

/// An enc_keys that was under way when its fetch ended without an answer, as with its session.
struct AbandonedCall {
  const std::string& sae_id;
  std::size_t burned;  ///< keys that may be gone, this call's included
};

/// What a fetch costs beyond what its caller took from the peer's budget for it. Called on the loop.
struct Costs {
  /// Takes that call from the budget and tells a person. False: it must not be made.
  std::function<bool(const FurtherCall&)> may_ask_again;
  /// Tells a person. Nothing of the budget comes back. Also called while the source is destroyed.
  std::function<void(const AbandonedCall&)> abandoned;
};

/// The keys of a KME after ETSI GS QKD 014: one own SAE, as its certificate says, many peers.
///
/// SPEC §5.7 says when a call is repeated: where it surely never left; dec_keys, where the KME has not got the key yet
/// or fails for now; enc_keys, where the KME says no for now, and once where an answer was lost on its way. A further
/// enc_keys is asked for beforehand, and whatever fails says how many keys may be gone with it; what nobody waits for
/// any more does so too. The pauses grow from 100 ms to 1 s, those of enc_keys from 200 ms to 2 s, and last as long as
/// the KME wants (Retry-After), but never beyond the fetch. A server that cannot be reached is left for the next one;
/// what cannot change meanwhile, such as TLS that does not meet, ends the fetch at once.
///
/// Lives on the schedule's loop. fetch, cancel, status and supply may be called from any thread; `done` is called on
/// the loop. From another thread, a cancel may come too late for a `done` under way.
class Etsi014Source final : public KeySource {
 public:
  /// At least one server, in the order of their use. `schedule`, and the clients' loop, outlive the source.
  Etsi014Source(Schedule& schedule, std::vector<KmeServer> servers, Costs costs);
  /// On the loop's thread, or when the loop does not run any more. What is under way ends without an answer.
  ~Etsi014Source() override;
  Etsi014Source(const Etsi014Source&) = delete;
  Etsi014Source& operator=(const Etsi014Source&) = delete;

  Ticket fetch(Request request, Done done) override;
  void cancel(Ticket ticket) override;
  /// Of any SAE ID: which peers there are, only the KME knows. `keys_left` is its count of at most some 10 s before the
  /// last fetch; here and in supply(), a 0 counts only while enc_keys is refused, for KMEs are seen that say 0 and give
  /// keys.
  [[nodiscard]] std::optional<SourceStatus> status(std::string_view sae_id) const override;
  /// Of a peer for whom a key was asked for before. The KME is asked at most once in 10 s.
  std::optional<Supply> supply(std::string_view sae_id) override;

 private:
  class Worker;
  std::shared_ptr<Worker> worker_;
};

}  // namespace qsp::keysource
