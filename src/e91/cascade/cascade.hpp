#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "e91/cascade/answers.hpp"
#include "e91/cascade/messages.hpp"
#include "e91/cascade/order.hpp"
#include "e91/cascade/plan.hpp"

namespace qsp::e91::cascade {

/// What Bob will spend on one key before he gives it up.
struct CascadeLimits {
  std::size_t answers;        ///< disclosed bits: the same as Alice's
  std::size_t rounds = 1000;  ///< honest runs take about 60
};

/// Bob's end of Cascade (Brassard and Salvail 1993): turns his key into Alice's by asking for parities of hers.
///
/// He keeps for each pass which ranges of it have a known parity difference, as a partition into leaves: asking for
/// half a leaf splits it, and the other half follows. Correcting a bit turns the parity of the leaf that holds it in
/// every pass, so one error found lays open others. In each round every odd leaf is halved at once; a leaf of 4 to 64
/// bits is finished by its Hamming syndrome, which costs as many bits as halving it to the end, but one round. Should
/// that leaf have held three errors, the syndrome misleads; later passes see it, and the leaf is then halved.
///
/// Whatever the answers, it ends: each answer splits a leaf or spends one's only syndrome, each round asks something,
/// and limits hold. Wrong answers end in failure or in a wrong key, which verification must catch in any case.
class Cascade {
 public:
  enum class State : std::uint8_t { Asking, Done, Failed };

  /// Takes Bob's key, its estimated error rate and the public seed that Alice has too.
  /// Errors: Provider; PeerMisbehaved/LIMIT where the limits do not even let it begin; ApiMisuse for a key outside
  /// kMinCascadeKey..kMaxCascadeKey.
  static Result<Cascade> create(crypto::Provider& provider, Bits&& key, double qber, Seed&& seed, CascadeLimits limits);

  [[nodiscard]] State state() const noexcept { return state_; }
  /// The questions of this round while Asking: valid until feed(). They are public, see ParityOracle.
  [[nodiscard]] const QueryBatch& queries() const noexcept { return batch_; }
  /// Takes the answers to queries(). Errors, after each of which the state is Failed and the key is to be dropped:
  /// InvalidMessage/PROTOCOL_ERROR for another number of answers; PeerMisbehaved/PROTOCOL_ERROR for answers that
  /// contradict each other; PeerMisbehaved/LIMIT where the limits end it; Provider; ApiMisuse if not Asking.
  Result<void> feed(const Bits& answers);

  /// Bits turned so far, one turned back counting again.
  [[nodiscard]] std::size_t turned() const noexcept { return turned_; }
  /// Answers taken so far: what Alice disclosed.
  [[nodiscard]] std::size_t disclosed() const noexcept { return disclosed_; }
  [[nodiscard]] std::size_t rounds() const noexcept { return rounds_; }
  /// Hands over the key: Alice's, once Done, unless the verification that must follow tells otherwise.
  [[nodiscard]] Bits take_key() && noexcept { return std::move(key_); }

 private:
  struct Pass {
    Order order;
    unsigned syndrome_level;
    Bits key;     ///< as corrected so far, in the pass's order
    Bits starts;  ///< where leaves start
    Bits odd;     ///< the starts of leaves whose parity differs from Alice's
    Bits tried;   ///< the starts of leaves that have had their syndrome
    std::size_t odd_leaves = 0;

    void set_odd(std::size_t start, bool value) noexcept;
    [[nodiscard]] std::size_t leaf_start(std::size_t place) const noexcept;
    [[nodiscard]] std::size_t leaf_end(std::size_t start) const noexcept;
    [[nodiscard]] bool is_known_right(std::uint32_t index) const noexcept;
  };

  Cascade(RandomStream&& stream, Bits&& key, Plan&& plan, CascadeLimits limits) noexcept;

  Result<void> give_up(ErrorKind kind, Reason reason, std::string_view where) noexcept;
  Result<void> prepare();
  void ask(std::size_t pass, unsigned hurry);
  Result<void> open(const QueryGroup& group, AnswerReader& in);
  [[nodiscard]] bool halve(Pass& pass, const QueryGroup& group, std::uint32_t node, bool answer);
  void locate(Pass& pass, const QueryGroup& group, std::uint32_t node, unsigned answer);
  [[nodiscard]] bool settle(Pass& pass, std::size_t start);
  void turn(std::uint32_t index);
  [[nodiscard]] bool is_known_right(std::uint32_t index) const noexcept;

  RandomStream stream_;
  Bits key_;
  Plan plan_;
  CascadeLimits limits_;
  std::vector<Pass> passes_;
  QueryBatch batch_;
  /// The nodes of one pass that are about to be asked, by level.
  std::array<std::vector<std::uint32_t>, kMaxLevel + 1> halves_;
  std::array<std::vector<std::uint32_t>, kMaxSyndromeLevel + 1> syndromes_;
  std::size_t turned_ = 0;
  std::size_t disclosed_ = 0;
  std::size_t rounds_ = 0;
  State state_ = State::Asking;
};

}  // namespace qsp::e91::cascade
