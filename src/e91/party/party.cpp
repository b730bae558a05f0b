#include "e91/party/party.hpp"

#include <algorithm>
#include <utility>

#include "base/big_endian.hpp"
#include "base/try.hpp"
#include "base/uuid.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::e91::party {
namespace {

constexpr std::size_t kKeySize = QkdKey::kCapacity;

/// The ID of key `index` of a block: a hash, so that two pairings never name different keys alike.
Result<Uuid> key_id(crypto::Hkdf& hkdf, const Pairing& pairing, std::uint64_t block, std::uint64_t index) {
  QSP_TRY(const auto digest,
          hkdf.hash({as_bytes("qsp e91 key_ID"), pairing.name, big_endian<8>(block), big_endian<8>(index)}));
  Uuid id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return uuid_of(id, 8);
}

}  // namespace

Party::Party(crypto::Provider& provider, Side side, const Pairing& pairing, post::AuthenticationPad&& pad,
             post::Listener listener)
    : provider_(provider), side_(side), pairing_(pairing), pad_(std::move(pad)), listener_(std::move(listener)) {}

Result<Seed> Party::prepare(std::uint64_t number) {
  Seed own;
  QSP_TRY(provider_.rng().fill(own.writable()));
  Seed of_link = Seed::copy_of(own.reveal());
  QSP_TRY(auto settings,
          Settings::create(provider_, std::move(own), weights(pairing_.config.mode, side_, pairing_.p_z)));
  settings_.emplace(std::move(settings));
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
  const std::size_t to_pad = pad_.refill(key.first(std::min(post::AuthenticationPad::kBlockCost, key.size())));
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
