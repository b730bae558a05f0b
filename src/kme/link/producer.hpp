#pragma once

#include <cstddef>
#include <vector>

#include "kme/store/store.hpp"
#include "qsp/crypto.hpp"

namespace qsp::kme::link {

/// Where new keys of a link come from on the side that draws them.
class Producer {
 public:
  virtual ~Producer() = default;
  /// At most so many new keys for each side; fewer, or none, where the source has no more now. Error: Provider.
  virtual Result<std::vector<NewPiece>> draw(std::size_t here, std::size_t there) = 0;
};

/// Keys from a CSPRNG. They reach the other side over the classical channel of the two KMEs, so they are as safe as
/// that and no safer: marked simulated wherever they go. IDs are random (RFC 9562 §5.4).
class RandomProducer final : public Producer {
 public:
  /// `rng` outlives the producer.
  explicit RandomProducer(crypto::Rng& rng) noexcept : rng_(rng) {}
  Result<std::vector<NewPiece>> draw(std::size_t here, std::size_t there) override;

 private:
  crypto::Rng& rng_;
};

}  // namespace qsp::kme::link
