#include "kme/link/producer.hpp"

#include <utility>

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
    if (const auto filled = rng_.fill(piece.id); !filled) return std::unexpected(filled.error());
    if (const auto filled = rng_.fill(piece.bytes.writable()); !filled) return std::unexpected(filled.error());
    piece.id[6] = static_cast<std::uint8_t>((piece.id[6] & 0x0f) | 0x40);  // version 4
    piece.id[8] = static_cast<std::uint8_t>((piece.id[8] & 0x3f) | 0x80);  // RFC 9562's variant
    drawn.push_back(std::move(piece));
  }
  return drawn;
}

}  // namespace qsp::kme::link
