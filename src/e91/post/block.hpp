#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "e91/bits.hpp"
#include "e91/hashing/tag.hpp"
#include "e91/post/authentication_pad.hpp"
#include "e91/post/estimate.hpp"
#include "e91/post/messages.hpp"
#include "e91/post/sift.hpp"
#include "e91/post/transcript.hpp"
#include "qsp/crypto.hpp"

namespace qsp::e91::post {

/// What came of a block. Everything in it is public.
struct BlockReport {
  std::uint64_t block = 0;
  std::uint64_t slots = 0;
  std::uint64_t clicks = 0;   ///< Bob's
  std::uint64_t shared = 0;   ///< rounds in which both saw something
  std::size_t key_bits = 0;   ///< n, sifted
  std::size_t test_bits = 0;  ///< disclosed outcomes, of rounds that are not the key's
  TestResult tests;           ///< S and the error rate of the test rounds
  double expected_error = 0;  ///< that reconciliation began with
  std::uint32_t errors = 0;   ///< that it corrected
  std::size_t disclosed = 0;  ///< bits of the key: parities and the verification hash
  std::size_t batches = 0;    ///< of parities: round trips
  std::size_t length = 0;     ///< ℓ, bits; 0 where the block was given up
  std::optional<Abort> aborted;
  bool by_peer = false;  ///< the other end gave it up

  /// Of the sifted key, once corrected.
  [[nodiscard]] double qber() const noexcept {
    return key_bits == 0 ? 0 : static_cast<double>(errors) / static_cast<double>(key_bits);
  }
};

/// One end's post-processing of one block, sans I/O: messages in, messages out, in order. Whatever the peer sends, a
/// block ends after a bounded number of messages: with a key that both ends have, or given up with a reason.
///
/// Each tag covers everything that both said, in order, under the pad. Neither end releases its key before both tags
/// have been verified: Alice when Bob's is right, which he sends only if hers was; Bob when she says so, with a word of
/// the pad. If that last message is lost, she has a key and he has not: so keys are handed out only with both halves.
class Block {
 public:
  struct Environment {
    crypto::Provider& provider;
    const PostConfig& config;
    AuthenticationPad& pad;
    Listener listener;  ///< may be empty
  };

  virtual ~Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  /// Takes the peer's next message. Does nothing once the block is done.
  void handle(Bytes message);
  /// Messages for the peer since the last call, oldest first.
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> poll() { return std::exchange(outbox_, {}); }
  /// Gives the block up and tells the peer.
  void give_up(Abort reason);

  [[nodiscard]] bool done() const noexcept { return done_; }
  [[nodiscard]] const BlockReport& report() const noexcept { return report_; }
  /// The key of a block that is done and not given up, report().length bits; once.
  [[nodiscard]] Bits take_key() { return std::move(key_); }

 protected:
  Block(Environment environment, Side side, std::uint64_t block, std::uint64_t slots);

  virtual void on_message(Message&& message) = 0;

  void say(Message message);
  /// Gives the block up unless `holds`.
  bool demand(bool holds, Abort reason = Abort::Protocol);
  /// What both have seen, so that both come to the same result; false where the block has been given up over it.
  bool judge(const TestsMessage& alice, const TestsMessage& bob, const std::vector<std::uint8_t>& pairs);
  /// ℓ, as both ends work it out once the key is verified.
  [[nodiscard]] Certified certified() const;

  /// Takes the block's keys from the pad, from `position` on, and works out both tags and Alice's word. False where it
  /// cannot.
  bool make_tags(std::uint64_t position);
  [[nodiscard]] TagMessage own_tag() const;
  [[nodiscard]] bool is_of_peer(const TagMessage& message) const;
  [[nodiscard]] AcceptedMessage acceptance() const { return {word_}; }
  /// The corrected key through the Toeplitz matrix: the final one. False where the block has been given up.
  bool amplify(const PrivacyMessage& privacy);
  /// The block is done and its key can be taken.
  void release();

  Environment environment_;
  BlockReport report_;
  Bits key_;  ///< sifted, then corrected, then final

 private:
  void record(Side sender, Bytes wire, const Message& message);
  void end(Abort reason, bool by_peer);

  struct Said {
    Side sender;
    std::vector<std::uint8_t> message;
  };

  Side side_;
  std::vector<Said> said_;  ///< by both, in order: what the tags cover
  std::vector<std::vector<std::uint8_t>> outbox_;
  std::uint64_t position_ = 0;
  std::array<hashing::Tag, 2> tags_{};  ///< by Side
  std::array<std::uint8_t, 16> word_{};
  bool done_ = false;
};

/// Alice: her bits are the reference. Waits for Bob's clicks.
std::unique_ptr<Block> alice_block(Block::Environment environment, std::uint64_t block, std::uint64_t slots,
                                   Clicks&& clicks, Settings&& settings);

/// Bob: begins with his clicks, and corrects his bits to hers.
std::unique_ptr<Block> bob_block(Block::Environment environment, std::uint64_t block, std::uint64_t slots,
                                 Clicks&& clicks, Settings&& settings);

}  // namespace qsp::e91::post
