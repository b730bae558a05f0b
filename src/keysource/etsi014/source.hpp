#pragma once

#include <memory>
#include <string>
#include <vector>

#include "https/client.hpp"
#include "keysource/etsi014/schedule.hpp"
#include "keysource/keysource.hpp"

namespace qsp::keysource {

/// One KME: a server of this site's KME, of which there may be several that share their keys.
struct Kme {
  std::string url;  ///< for people
  std::unique_ptr<https::Client> client;
};

/// The keys of a KME after ETSI GS QKD 014: one own SAE, as its certificate says, many peers.
///
/// A call is repeated only where that cannot cost a key that somebody still needs: where it surely never left, where
/// the KME said no for now, and for enc_keys where the answer was lost (that key is burned, and another one asked for).
/// The pauses grow from 100 ms to 1 s. A server that cannot be reached is left for the next one.
///
/// Lives on the schedule's loop. fetch, cancel, status and supply may be called from any thread; `done` is called on
/// the loop. From another thread, a cancel may come too late for a `done` under way.
class Etsi014Source final : public KeySource {
 public:
  /// At least one server, in the order of their use. `schedule`, and the clients' loop, outlive the source.
  Etsi014Source(Schedule& schedule, std::vector<Kme> servers);
  /// On the loop's thread, or when the loop does not run any more. What is under way ends without an answer.
  ~Etsi014Source() override;
  Etsi014Source(const Etsi014Source&) = delete;
  Etsi014Source& operator=(const Etsi014Source&) = delete;

  Ticket fetch(Request request, Done done) override;
  void cancel(Ticket ticket) override;
  /// Of any SAE ID: which peers there are, only the KME knows. `keys_left` is its count of at most some 10 s before the
  /// last fetch.
  [[nodiscard]] std::optional<SourceStatus> status(std::string_view sae_id) const override;
  /// Of a peer for whom a key was asked for before. The KME is asked at most once in 10 s.
  std::optional<Supply> supply(std::string_view sae_id) override;

 private:
  class Worker;
  std::shared_ptr<Worker> worker_;
};

}  // namespace qsp::keysource
