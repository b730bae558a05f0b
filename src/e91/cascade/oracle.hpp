#pragma once

#include <cstddef>
#include <vector>

#include "e91/cascade/messages.hpp"
#include "e91/cascade/order.hpp"

namespace qsp::e91::cascade {

/// Alice's end of Cascade: holds the reference key of one block and answers questions about its parities.
///
/// What is disclosed of the key is the answers, one bit each, and disclosed() counts them. Bob's questions tell nothing
/// more about it: they follow from earlier answers, the public seed and where his key differs from hers.
class ParityOracle {
 public:
  /// Takes the key, the public seed that Bob has too, and the most answers that this key may ever give.
  /// Errors: Provider; ApiMisuse for a key outside kMinCascadeKey..kMaxCascadeKey.
  static Result<ParityOracle> create(crypto::Provider& provider, Bits&& key, Seed&& seed, std::size_t max_disclosed);

  /// Answers a batch, or none of it, in the order of its questions. Constant work for a question, beside that of laying
  /// out the key for each pass that is opened.
  /// Errors: PeerMisbehaved/LIMIT for more answers than may be given or more than kMaxPasses; PeerMisbehaved/
  /// PROTOCOL_ERROR for a question about what does not exist; Provider. After any, drop the block.
  Result<Bits> answer(const QueryBatch& batch);

  /// Answers given so far.
  [[nodiscard]] std::size_t disclosed() const noexcept { return disclosed_; }
  /// Answers that may still be given: what decode() is told.
  [[nodiscard]] std::size_t budget() const noexcept { return max_disclosed_ - disclosed_; }
  [[nodiscard]] std::size_t key_size() const noexcept { return key_.size(); }
  /// Hands the key back.
  [[nodiscard]] Bits take_key() && noexcept { return std::move(key_); }

 private:
  /// The key in a pass's order, and for each word the parity of all before it.
  struct Pass {
    Bits key;
    Bits before;

    [[nodiscard]] bool prefix(std::size_t end) const noexcept;
  };

  ParityOracle(RandomStream&& stream, Bits&& key, std::size_t max_disclosed) noexcept
      : stream_(std::move(stream)), key_(std::move(key)), max_disclosed_(max_disclosed) {}

  [[nodiscard]] Result<void> check(const QueryBatch& batch) const;
  Result<void> open(Layout layout);

  RandomStream stream_;
  Bits key_;
  std::vector<Pass> passes_;
  std::size_t max_disclosed_;
  std::size_t disclosed_ = 0;
};

}  // namespace qsp::e91::cascade
