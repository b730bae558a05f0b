#include "bench/rekey.hpp"

#include <array>
#include <utility>

#include "base/try.hpp"
#include "bench/ends.hpp"
#include "bench/primitives.hpp"
#include "qsp/suites.hpp"

namespace qsp::bench {
namespace {

struct Named {
  std::string_view name;
  Form form;
};

/// SPEC §7, at each end: THr, Extract, 6 × Expand (epoch, confirm, two keys, ratchet, exporter), HMAC; two keys, and
/// the client's old one overwritten; three frames; the material drawn.
Result<void> floor(Primitives& primitives, Form form) {
  const auto& kem = crypto::info(crypto::KemId::X25519MlKem768);
  const std::size_t init = 44 + (form.kem ? kem.public_key_size : 0) + (form.qkd ? 36 : 0);
  const std::size_t ack = 43 + (form.kem ? kem.ciphertext_size : 0);
  QSP_TRY(primitives.draw(32));
  if (form.kem) {
    QSP_TRY(primitives.kem());
  }
  const Counts counts{.hashed = 2 * (init + ack), .hashes = 2, .extracts = 2, .expands = 12, .hmacs = 2, .keys = 5};
  QSP_TRY(primitives.schedule(counts));
  for (const std::size_t size : {init, ack, std::size_t{9}}) {
    QSP_TRY(primitives.frame(size));
  }
  return {};
}

Outcome<RekeyResult> measure(const KeyPair& keys, const Named& named, std::uint64_t loops) {
  QSP_TRY(const auto ends, Ends::make(keys, named.form));
  Wire wire;
  QSP_TRY(auto pair, Pair::establish(*ends, wire));
  QSP_TRY(auto primitives, Primitives::make(ends->provider()));
  const std::array<Contender, 2> contenders{
      [&](std::uint64_t times) -> Outcome<void> {
        for (std::uint64_t i = 0; i < times; ++i) {
          QSP_TRY(pair.rekey());
        }
        return {};
      },
      [&](std::uint64_t times) -> Outcome<void> {
        for (std::uint64_t i = 0; i < times; ++i) {
          QSP_TRY(outcome(floor(primitives, named.form)));
        }
        return {};
      },
  };
  QSP_TRY(const auto paces, take_turns(contenders, loops));
  const ChannelStatus status = pair.client().status();
  if (status.current.kem != named.form.kem || status.current.key_id.has_value() != named.form.qkd) {
    return std::unexpected("a rekey of QSP 1.0 had another form than the one that was asked for");
  }
  return RekeyResult{.form = named.name,
                     .loops = loops,
                     .qsp = paces[0].seconds,
                     .primitives = paces[1].seconds,
                     .provider = std::string(ends->provider().description()),
                     .final_epoch = pair.server().epoch()};
}

}  // namespace

Outcome<std::vector<RekeyResult>> bench_rekey(std::uint64_t loops) {
  if (loops > kMostRekeys) return std::unexpected("more rekeys than are measured at once: at most 2^30");
  QSP_TRY(const auto keys, KeyPair::make());
  std::vector<RekeyResult> results;
  for (const Named& named : {Named{"light", {.kem = false, .qkd = false}}, Named{"kem", {.kem = true, .qkd = false}},
                             Named{"kem+qkd", {.kem = true, .qkd = true}}}) {
    QSP_TRY(auto result, measure(keys, named, loops));
    results.push_back(result);
  }
  return results;
}

}  // namespace qsp::bench
