#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "e91/bits.hpp"
#include "e91/post/rounds.hpp"
#include "e91/setting.hpp"
#include "qsp/error.hpp"

/// What Alice and Bob tell each other about one block, in the order of a block's life (docs/qkd.md). All of it is
/// public; each message goes in its sender's transcript, whose tag ends the block. On the wire: type (u8), block number
/// (u64), body; integers are big-endian, bit strings are bytes with the least significant bit first.
namespace qsp::e91::post {

/// Slots and clicks of one block and bits of its key: what memory and work are bounded by.
inline constexpr std::uint64_t kMaxSlots = std::uint64_t{1} << 48;
inline constexpr std::size_t kMaxClicks = std::size_t{1} << 24;
/// A block with more key rounds than this is given up. None may be cut off: what is tested must be drawn like what is
/// kept, and an attacker who knows where the cut falls could attack only what lies before it.
inline constexpr std::size_t kMaxKeyBits = std::size_t{1} << 20;
/// Bytes of the longest message: Clicks with nine bytes for each gap and two bits for each setting.
inline constexpr std::size_t kMaxMessage = 64 + kMaxClicks * 9 + kMaxClicks / 4;

/// Bob to Alice: where he saw something, and at which settings; not what. On the wire: slots (u64), clicks (u32),
/// length of what follows (u32), for each click the slots left out before it (a varint), then two bits of setting each.
struct ClicksMessage {
  std::uint64_t slots = 0;  ///< of the block
  SlotList slot;
  SettingList setting;  ///< one for each
};
/// Alice to Bob: which of his clicks she shares, and her settings there.
struct MatchesMessage {
  Bits shared;          ///< one for each of Bob's clicks
  SettingList setting;  ///< one for each that is shared
};
/// Both ways, Bob first: the outcomes of the test rounds. They never reach the key.
struct TestsMessage {
  Bits outcomes;
};
/// Alice to Bob: reconciliation begins; the public seed of its permutations, and the error rate to expect, in
/// millionths.
struct ReconcileMessage {
  std::array<std::uint8_t, 32> seed{};
  std::uint32_t error_ppm = 0;
};
/// Bob to Alice: a batch of Cascade's questions, as its own codec has them.
struct QueriesMessage {
  std::vector<std::uint8_t> batch;
};
/// Alice to Bob: one parity for each question.
struct ParitiesMessage {
  Bits parities;
};
/// Bob to Alice: he has no more questions, and has corrected this many bits.
struct CorrectedMessage {
  std::uint32_t errors = 0;
};
/// Alice to Bob: the universal hash of her key at a random point.
struct VerifyMessage {
  std::uint64_t point = 0;
  std::uint64_t hash = 0;
};
/// Bob to Alice: his key has the same hash.
struct VerifiedMessage {};
/// Alice to Bob: the length of the final key and the seed of the Toeplitz matrix.
struct PrivacyMessage {
  std::uint32_t length = 0;  ///< ℓ, bits
  Bits seed;                 ///< n + ℓ − 1 bits
};
/// Each way: the tag over all that both have said in this block, in order, under `position` of the pad.
struct TagMessage {
  std::uint64_t position = 0;
  std::array<std::uint8_t, 16> tag{};
};

enum class Abort : std::uint8_t {
  Protocol = 1,    ///< a message that no rule allows here
  TooFewRounds,    ///< fewer key or test rounds than an estimate needs
  ErrorRate,       ///< the error rate, or its upper bound, is over the tolerance
  BellTest,        ///< |S| is under its floor
  Reconciliation,  ///< Cascade gave up
  Verification,    ///< the keys still differ
  NoKey,           ///< no bit of key could be certified
  Authentication,  ///< a tag is not the one of what was received
  PadExhausted,    ///< no key left to authenticate with
  LinkDown,        ///< the link or the classical channel failed
  TooManyRounds,   ///< more key rounds than kMaxKeyBits
};
/// "the error rate is over its tolerance", …
std::string_view describe(Abort reason) noexcept;

/// Either way, instead of any message: the block is given up.
struct AbortMessage {
  Abort reason{};
};

/// Alice to Bob, first: the block is over at her side, all her clicks are in. Only then may he announce settings: an
/// eavesdropper who held a photon of Alice's back could measure it in the setting that she has just heard. The nonce
/// cannot be known before Alice draws it, and the tags cover it, so nobody says this in her name ahead of time.
struct ReadyMessage {
  std::uint64_t slots = 0;  ///< of the block
  std::array<std::uint8_t, 16> nonce{};
};
/// Alice to Bob, last: she has verified his tag. A word of the pad that nobody else knows.
struct AcceptedMessage {
  std::array<std::uint8_t, 16> word{};
};

using Message = std::variant<ClicksMessage, MatchesMessage, TestsMessage, ReconcileMessage, QueriesMessage,
                             ParitiesMessage, CorrectedMessage, VerifyMessage, VerifiedMessage, PrivacyMessage,
                             TagMessage, AbortMessage, ReadyMessage, AcceptedMessage>;

/// The bits of the key that a message discloses to a listener: parities and the verification hash.
std::size_t disclosed_key_bits(const Message& message) noexcept;

/// "CLICKS", "PARITIES", …
std::string_view name(const Message& message) noexcept;

std::vector<std::uint8_t> encode(std::uint64_t block, const Message& message);

/// What only the block so far can tell of the next message's size.
struct Expect {
  std::uint64_t block = 0;
  std::size_t clicks = 0;  ///< Bob's
};

/// Error: InvalidMessage/PROTOCOL_ERROR for bytes that are not a message, or one of another block.
Result<Message> parse(Bytes bytes, const Expect& expect);

}  // namespace qsp::e91::post
