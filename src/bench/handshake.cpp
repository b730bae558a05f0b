#include "bench/handshake.hpp"

#include <array>
#include <utility>

#include "base/try.hpp"
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
    QSP_TRY(auto primitives, Primitives::make(ends.provider()));
    Floor floor(ends, std::move(primitives), bytes);
    for (const crypto::Signer* signer : {&ends.client_signer(), &ends.server_signer()}) {
      QSP_TRY(auto verifier, outcome(ends.provider().verifier(signer->public_key())));
      floor.proofs_.push_back({signer, std::move(verifier)});
    }
    return floor;
  }

  Result<void> once() {
    QSP_TRY(primitives_.kem());
    for (const auto& [signer, verifier] : proofs_) {
      QSP_TRY(const auto signature, signer->sign(message_, ends_->provider().rng()));
      QSP_TRY(verifier->verify(message_, signature));
    }
    return symmetric();
  }

  /// SPEC §5, at each end: H("qsp1 handshake") and five transcript hashes over every byte once, 2 × Extract, 10 ×
  /// Expand, 2 × HMAC, two AEAD keys for each of two epochs; three sealed messages; two nonces and a session_id.
  Result<void> symmetric() {
    const Counts counts{.hashed = 2 * bytes_, .hashes = 12, .extracts = 4, .expands = 20, .hmacs = 4, .keys = 8};
    QSP_TRY(primitives_.schedule(counts));
    const std::size_t auth = crypto::info(crypto::SignatureId::MlDsa65).signature_size + 80;
    for (const std::size_t size : {auth, auth, std::size_t{33}}) {
      QSP_TRY(primitives_.frame(size));
    }
    QSP_TRY(primitives_.draw(32));
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
  QSP_TRY(const auto keys, KeyPair::make());
  QSP_TRY(const auto ends, Ends::make(keys));
  QSP_TRY(const auto client, tls::Credential::make("bench-client"));
  QSP_TRY(const auto server, tls::Credential::make("bench-server"));
  QSP_TRY(const auto contexts, tls::Contexts::make(client, server));
  Wire wire;
  QSP_TRY(const auto first, Pair::establish(*ends, wire));
  QSP_TRY(auto floor, Floor::make(*ends, first.carried()));

  const auto repeat = [](auto once) {
    return [once](std::uint64_t times) -> Outcome<void> {
      for (std::uint64_t i = 0; i < times; ++i) {
        QSP_TRY(once());
      }
      return {};
    };
  };
  const std::array<Contender, 4> contenders{
      repeat([&] { return Pair::establish(*ends, wire); }),
      repeat([&] { return tls::Pair::establish(contexts); }),
      repeat([&] { return outcome(floor.once()); }),
      repeat([&] { return outcome(floor.symmetric()); }),
  };
  QSP_TRY(const auto paces, take_turns(contenders, loops));
  return HandshakeResult{.loops = loops,
                         .qsp = paces[0],
                         .tls = paces[1],
                         .primitives = paces[2],
                         .symmetric = paces[3].seconds,
                         .provider = std::string(ends->provider().description()),
                         .bytes = first.carried()};
}

}  // namespace qsp::bench
