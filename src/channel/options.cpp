#include "channel/options.hpp"
#include "channel/refusals.hpp"

#include <algorithm>
#include <vector>

#include "qsp/suites.hpp"
#include "wire/handshake.hpp"

namespace qsp::channel {
namespace {

using std::chrono::seconds;

// SPEC §7: the rekey timer is never below 60 s, an epoch's hard life never less than twice the timer.
constexpr seconds kMinRekeyTimer{60};

// No time is longer than a year, so that no sum of a clock's value and some of them overflows.
constexpr std::chrono::hours kMaxTime{24 * 365};

template <class Items>
bool is_list(const Items& items, std::size_t min) {
  if (items.size() < min || items.size() > wire::kMaxListItems) return false;
  for (auto item = items.begin(); item != items.end(); ++item) {
    if (std::find(items.begin(), item, *item) != item) return false;
  }
  return true;
}

bool is_name(const std::string& name) noexcept { return !name.empty() && name.size() <= wire::kMaxName; }

bool is_time(Instant time) noexcept { return time > Instant::zero() && time <= kMaxTime; }

Result<void> check_rekey(const RekeyPolicy& rekey) {
  const auto& limits = crypto::info(crypto::AeadId::Aes256Gcm);
  if (!is_time(rekey.interval)) return misuse("rekey.interval");
  if (rekey.frames == 0 || rekey.frames > limits.max_frames / 2) return misuse("rekey.frames");
  if (rekey.bytes == 0 || rekey.bytes > limits.max_bytes / 2) return misuse("rekey.bytes");
  if (!is_time(rekey.timer)) return misuse("rekey.timer");
  if (rekey.timer < kMinRekeyTimer && !rekey.dangerous_short_timers) return misuse("rekey.timer below 60 s");
  if (!is_time(rekey.hard_life)) return misuse("rekey.hard_life");
  if (rekey.hard_life < 2 * rekey.timer) return misuse("rekey.hard_life below twice rekey.timer");
  return {};
}

/// Cuts from a list what the provider lacks. Error: nothing is left; it names the best that was wanted.
template <class Id>
Result<void> narrow(std::vector<Id>& ids, const crypto::Capabilities& capabilities) {
  const Id best = ids.front();
  std::erase_if(ids, [&](Id id) { return !capabilities.has(id); });
  if (ids.empty()) return crypto::lacks(best);
  return {};
}

template <class Options>
Result<void> check_common(Options& options, const crypto::Provider& provider) {
  if (!is_list(options.kems, 1)) return misuse("kems");
  if (!is_list(options.aeads, 1)) return misuse("aeads");
  if (!is_list(options.applications, 0) || !std::ranges::all_of(options.applications, is_name))
    return misuse("applications");
  if (!is_time(options.handshake_timeout)) return misuse("handshake_timeout");
  if (const auto lawful = check_rekey(options.rekey); !lawful) return lawful;
  if (const auto left = narrow(options.kems, provider.capabilities()); !left) return left;
  return narrow(options.aeads, provider.capabilities());
}

}  // namespace

Result<void> settle(ClientOptions& options, const crypto::Provider& provider) {
  if (options.signer == nullptr) return misuse("signer");
  if (options.peer.keys.empty() || options.peer.keys.size() > wire::kMaxListItems) return misuse("peer.keys");
  if (!options.peer.may_serve) return misuse("peer.may_serve: this peer is not to be dialled");
  // SPEC §5: a client offers QKD only with an SAE ID pinned for that peer.
  if (options.peer.qkd != QkdPolicy::None && !is_name(options.peer.sae_id)) return misuse("peer.sae_id");
  if (options.peer.qkd != QkdPolicy::None && !is_name(options.sae_id)) return misuse("sae_id");
  // SPEC §4: an end refuses its own SAE ID, under which it would spend its own link's keys.
  if (options.peer.qkd != QkdPolicy::None && options.peer.sae_id == options.sae_id) return misuse("peer.sae_id: own");
  if (options.redial_without_qkd && options.peer.qkd != QkdPolicy::Preferred) return misuse("redial_without_qkd");
  return check_common(options, provider);
}

Result<void> settle(ServerOptions& options, const crypto::Provider& provider) {
  if (!is_list(options.signers, 1) || std::ranges::count(options.signers, nullptr) > 0) return misuse("signers");
  if (!is_list(options.client_signatures, 1)) return misuse("client_signatures");
  if (options.peers == nullptr) return misuse("peers");
  if (options.qkd != QkdPolicy::None && !is_name(options.sae_id)) return misuse("sae_id");
  if (const auto lawful = check_common(options, provider); !lawful) return lawful;
  return narrow(options.client_signatures, provider.capabilities());
}

}  // namespace qsp::channel
