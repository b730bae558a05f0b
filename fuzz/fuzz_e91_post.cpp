// The post-processing of a block against a hostile classical channel, and the audit against hostile transcripts. First
// byte: whether the rest is a transcript, or what happens to each message between two honest ends: one byte an
// operation. Whatever happens, both ends end, and if both have a key it is one key.

#include <array>
#include <optional>

#include "check.hpp"
#include "e91/post/audit.hpp"
#include "e91/post/block.hpp"
#include "support/fake_provider.hpp"

namespace {

using namespace qsp;
using namespace qsp::e91;
using namespace qsp::e91::post;
using fuzz::check;
using Wire = std::vector<std::uint8_t>;

constexpr std::uint64_t kSlots = 6000;

Seed seed(std::uint8_t byte) {
  Seed made;
  std::ranges::fill(made.writable(), byte);
  return made;
}

Settings settings(crypto::Provider& provider, Mode mode, Side side) {
  return Settings::create(provider, seed(side == Side::Alice ? 1 : 2), weights(mode, side, 0.6)).value();
}

void play(Mode mode, Bytes input) {
  const auto made = test::make_fake_provider();
  crypto::Provider& provider = *made;
  const PostConfig config{.mode = mode, .bell_floor = 0, .sigmas = 0};
  const Wire bytes(AuthenticationPad::kBlockCost, 7);
  AuthenticationPad of_alice(bytes);
  AuthenticationPad of_bob(bytes);
  Clicks clicks;
  Clicks opposite;
  for (std::uint64_t slot = 0; slot < kSlots; ++slot) {
    const bool bit = (slot * 0x9E3779B97F4A7C15U >> 40 & 1) != 0;
    clicks.emplace_back(slot, bit);
    opposite.emplace_back(slot, slot % 97 != 0 ? !bit : bit);
  }
  const auto alice = alice_block({provider, config, of_alice, {}}, 0, kSlots, std::move(clicks),
                                 settings(provider, mode, Side::Alice));
  const auto bob =
      bob_block({provider, config, of_bob, {}}, 0, kSlots, std::move(opposite), settings(provider, mode, Side::Bob));

  std::size_t at = 0;
  const auto next = [&]() -> std::uint8_t { return at < input.size() ? input[at++] : 0; };
  std::optional<Wire> kept;
  std::size_t delivered = 0;
  const auto pass = [&](Block& from, Block& to) {
    bool any = false;
    for (Wire& message : from.poll()) {
      any = true;
      check(++delivered < 100'000, "a block that does not end");
      const std::uint8_t operation = next();
      if (operation == 1) {  // one byte becomes another
        const std::size_t place = (std::size_t{next()} << 8 | next()) % message.size();
        const std::uint8_t with = next();
        message[place] = with;
      } else if (operation == 2) {  // lost
        continue;
      } else if (operation == 3) {  // cut
        const std::size_t size = (std::size_t{next()} << 8 | next()) % (message.size() + 1);
        message.resize(size);
      } else if (operation == 4) {  // twice
        to.handle(message);
      } else if (operation == 5 && kept) {  // in place of it, an older one
        message = *kept;
      } else if (operation == 6) {  // and back to its sender
        from.handle(message);
      } else if (operation == 7) {
        kept = message;
      }
      to.handle(message);
    }
    return any;
  };
  for (bool moved = true; moved;) {
    moved = pass(*bob, *alice);
    moved = pass(*alice, *bob) || moved;
  }
  const bool both = alice->done() && bob->done() && !alice->report().aborted && !bob->report().aborted;
  if (both) check(distance(alice->take_key(), bob->take_key()) == 0, "two keys");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input(data, size);
  if (input[0] < 2) {
    play(input[0] == 0 ? Mode::Biased : Mode::Classic, input.subspan(1));
  } else if (const auto transcript = read_transcript(input.subspan(1))) {
    for (const AuditedBlock& block : audit(*transcript)) {
      check(!block.has_key() || block.announced == block.certified, "a key of another length");
    }
  }
  return 0;
}
