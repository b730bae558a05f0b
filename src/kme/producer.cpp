#include "kme/producer.hpp"

#include <utility>

namespace qsp::kme {

Result<std::vector<NewPiece>> RandomProducer::draw(std::size_t most) {
  std::vector<NewPiece> drawn;
  drawn.reserve(most);
  for (std::size_t i = 0; i < most; ++i) {
    here_ = !here_;
    NewPiece piece{.id = {}, .bytes = Piece(), .owner = here_ ? Owner::Here : Owner::There, .simulated = true};
    if (const auto filled = rng_.fill(piece.id); !filled) return std::unexpected(filled.error());
    if (const auto filled = rng_.fill(piece.bytes.writable()); !filled) return std::unexpected(filled.error());
    piece.id[6] = static_cast<std::uint8_t>((piece.id[6] & 0x0f) | 0x40);  // version 4
    piece.id[8] = static_cast<std::uint8_t>((piece.id[8] & 0x3f) | 0x80);  // RFC 9562's variant
    drawn.push_back(std::move(piece));
  }
  return drawn;
}

}  // namespace qsp::kme
