#include "kme/link/producer.hpp"

#include <utility>

#include "base/try.hpp"
#include "base/uuid.hpp"

namespace qsp::kme::link {

Result<std::vector<NewPiece>> RandomProducer::draw(std::size_t here, std::size_t there) {
  std::vector<NewPiece> drawn;
  drawn.reserve(here + there);
  for (std::size_t i = 0; i < here + there; ++i) {
    NewPiece piece{.id = {},
                   .bytes = Piece(),
                   .owner = i < here ? Owner::Here : Owner::There,
                   .simulated = true,
                   .confirmed = false,
                   .expires = 0};
    QSP_TRY(rng_.fill(piece.id));
    QSP_TRY(rng_.fill(piece.bytes.writable()));
    piece.id = uuid_of(piece.id, 4);
    drawn.push_back(std::move(piece));
  }
  return drawn;
}

}  // namespace qsp::kme::link
