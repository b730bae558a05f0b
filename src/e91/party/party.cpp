#include "e91/party/party.hpp"

#include <algorithm>
#include <utility>

#include "qsp/secret_bytes.hpp"

namespace qsp::e91::party {
namespace {

constexpr std::size_t kKeySize = QkdKey::kCapacity;

/// The ID of key `index` of a block: a hash, so that two pairings never name different keys alike.
Result<std::array<std::uint8_t, 16>> key_id(crypto::Hkdf& hkdf, const Pairing& pairing, std::uint64_t block,
                                            std::uint64_t index) {
  std::array<std::uint8_t, 16> place{};
  for (std::size_t i = 0; i < 8; ++i) {
    place.at(i) = static_cast<std::uint8_t>(block >> (56 - 8 * i));
    place.at(8 + i) = static_cast<std::uint8_t>(index >> (56 - 8 * i));
  }
  const auto digest = hkdf.hash({as_bytes("qsp e91 key_ID"), pairing.name, place});
  if (!digest) return std::unexpected(digest.error());
  std::array<std::uint8_t, 16> id{};
  std::copy_n(digest->begin(), id.size(), id.begin());
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0F) | 0x80);  // version 8 (RFC 9562 §5.8)
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3F) | 0x80);
  return id;
}

}  // namespace

Party::Party(crypto::Provider& provider, Side side, const Pairing& pairing, post::Pad&& pad, post::Listener listener)
    : provider_(provider), side_(side), pairing_(pairing), pad_(std::move(pad)), listener_(std::move(listener)) {}

Result<Seed> Party::prepare(std::uint64_t number) {
  Seed own;
  if (auto drawn = provider_.rng().fill(own.writable()); !drawn) return std::unexpected(drawn.error());
  Seed of_link = Seed::copy_of(own.reveal());
  auto settings = Settings::create(provider_, std::move(own), weights(pairing_.config.mode, side_, pairing_.p_z));
  if (!settings) return std::unexpected(settings.error());
  settings_.emplace(std::move(*settings));
  number_ = number;
  return of_link;
}

void Party::begin(std::uint64_t slots, Clicks&& clicks) {
  const post::Block::Environment environment{
      .provider = provider_, .config = pairing_.config, .pad = pad_, .listener = listener_};
  const auto make = side_ == Side::Alice ? post::alice_block : post::bob_block;
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): prepare comes first
  block_ = make(environment, number_, slots, std::move(clicks), std::move(*settings_));
  settings_.reset();
}

std::vector<FinalKey> Party::finish() {
  const std::unique_ptr<post::Block> ended = std::move(block_);
  const std::optional<post::Abort> aborted = ended->report().aborted;
  if (aborted == post::Abort::Authentication || aborted == post::Abort::PadExhausted) paired_ = false;
  if (aborted) return {};
  const Bits bits = ended->take_key();
  const SecretBytes bytes(bits.to_bytes());
  const Bytes key = bytes.reveal().first(bits.size() / 8);  // whole bytes only
  const std::size_t to_pad = pad_.refill(key.first(std::min(post::Pad::kBlockCost, key.size())));
  Bytes rest = key.subspan(to_pad);
  std::vector<FinalKey> keys;
  keys.reserve(rest.size() / kKeySize);
  for (; rest.size() >= kKeySize; rest = rest.subspan(kKeySize)) {
    const auto id = key_id(provider_.hkdf(), pairing_, number_, keys.size());
    if (!id) break;
    keys.push_back({.id = *id, .key = QkdKey::copy_of(rest.first(kKeySize))});
  }
  return keys;
}

}  // namespace qsp::e91::party
