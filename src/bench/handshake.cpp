#include "bench/handshake.hpp"

#include <array>
#include <utility>

#include "bench/ends.hpp"
#include "bench/primitives.hpp"
#include "bench/tls.hpp"
#include "qsp/suites.hpp"

namespace qsp::bench {
namespace {

/// What a handshake's operations have as input.
class Floor {
 public:
  static Outcome<Floor> make(Ends& ends, std::size_t bytes) {
    auto primitives = Primitives::make(ends.provider());
    if (!primitives) return std::unexpected(primitives.error());
    Floor floor(ends, std::move(*primitives), bytes);
    for (const crypto::Signer* signer : {&ends.client_signer(), &ends.server_signer()}) {
      auto verifier = outcome(ends.provider().verifier(signer->public_key()));
      if (!verifier) return std::unexpected(verifier.error());
      floor.proofs_.push_back({signer, std::move(*verifier)});
    }
    return floor;
  }

  Result<void> once() {
    if (auto done = primitives_.kem(); !done) return done;
    for (const auto& [signer, verifier] : proofs_) {
      const auto signature = signer->sign(message_, ends_->provider().rng());
      if (!signature) return std::unexpected(signature.error());
      if (auto done = verifier->verify(message_, *signature); !done) return done;
    }
    return symmetric();
  }

  /// SPEC §5, at each end: H("qsp1 handshake") and five transcript hashes over every byte once, 2 × Extract, 10 ×
  /// Expand, 2 × HMAC, two AEAD keys for each of two epochs; three sealed messages; two nonces and a session_id.
  Result<void> symmetric() {
    const Counts counts{.hashed = 2 * bytes_, .hashes = 12, .extracts = 4, .expands = 20, .hmacs = 4, .keys = 8};
    if (auto done = primitives_.schedule(counts); !done) return done;
    const std::size_t auth = crypto::info(crypto::SignatureId::MlDsa65).signature_size + 80;
    for (const std::size_t size : {auth, auth, std::size_t{33}}) {
      if (auto done = primitives_.frame(size); !done) return done;
    }
    if (auto done = primitives_.draw(32); !done) return done;
    return primitives_.draw(40);
  }

 private:
  struct Proof {
    const crypto::Signer* signer;
    std::unique_ptr<crypto::Verifier> verifier;
  };

  Floor(Ends& ends, Primitives primitives, std::size_t bytes)
      : ends_(&ends), primitives_(std::move(primitives)), bytes_(bytes) {}

  Ends* ends_;
  Primitives primitives_;
  std::size_t bytes_;
  std::vector<Proof> proofs_;
  std::array<std::uint8_t, 52> message_{};  ///< context ‖ 0x00 ‖ transcript hash
};

}  // namespace

Outcome<HandshakeResult> bench_handshake(std::uint64_t loops) {
  const auto keys = KeyPair::make();
  if (!keys) return std::unexpected(keys.error());
  const auto ends = Ends::make(*keys);
  if (!ends) return std::unexpected(ends.error());
  const auto client = tls::Credential::make("bench-client");
  if (!client) return std::unexpected(client.error());
  const auto server = tls::Credential::make("bench-server");
  if (!server) return std::unexpected(server.error());
  const auto contexts = tls::Contexts::make(*client, *server);
  if (!contexts) return std::unexpected(contexts.error());
  Wire wire;
  const auto first = Pair::establish(**ends, wire);
  if (!first) return std::unexpected(first.error());
  auto floor = Floor::make(**ends, first->carried());
  if (!floor) return std::unexpected(floor.error());

  const auto repeat = [](auto once) {
    return [once](std::uint64_t times) -> Outcome<void> {
      for (std::uint64_t i = 0; i < times; ++i) {
        if (const auto done = once(); !done) return std::unexpected(done.error());
      }
      return {};
    };
  };
  const std::array<Contender, 4> contenders{
      repeat([&] { return Pair::establish(**ends, wire); }),
      repeat([&] { return tls::Pair::establish(*contexts); }),
      repeat([&] { return outcome(floor->once()); }),
      repeat([&] { return outcome(floor->symmetric()); }),
  };
  const auto paces = take_turns(contenders, loops);
  if (!paces) return std::unexpected(paces.error());
  return HandshakeResult{.loops = loops,
                         .qsp = (*paces)[0],
                         .tls = (*paces)[1],
                         .primitives = (*paces)[2],
                         .symmetric = (*paces)[3].seconds,
                         .bytes = first->carried()};
}

}  // namespace qsp::bench
