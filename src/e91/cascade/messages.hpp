#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "e91/bits.hpp"
#include "e91/cascade/order.hpp"
#include "qsp/error.hpp"

/// What Bob asks in one round and what Alice answers, as fields and as bytes. The caller frames and authenticates them.
///
/// A pass cuts its places into nodes: node i of level l is the places from i·2^l to (i + 1)·2^l, the last one perhaps
/// cut short.
namespace qsp::e91::cascade {

/// Passes over one key: what a peer can make its oracle lay out.
inline constexpr std::size_t kMaxPasses = 20;
/// The levels of node that may be asked about. 2^22 is kMaxCascadeKey.
inline constexpr unsigned kMinBlockLevel = 2;
inline constexpr unsigned kMinSyndromeLevel = 2;
inline constexpr unsigned kMaxLevel = 22;

enum class Ask : std::uint8_t {
  Open,       ///< opens the next pass: the parity of each of its blocks, the nodes of `level`
  Halves,     ///< of each node, the parity of its lower half
  Syndromes,  ///< of each node, its Hamming syndrome: `level` parities
};

/// Questions of one kind about nodes of one level of one pass.
struct QueryGroup {
  Ask ask{};
  std::uint8_t pass{};
  std::uint8_t level{};
  Layout layout{};        ///< of Open
  std::uint32_t count{};  ///< how many nodes; with Open, all of the pass

  bool operator==(const QueryGroup&) const = default;
  [[nodiscard]] std::size_t answer_bits() const noexcept {
    return ask == Ask::Syndromes ? std::size_t{count} * level : count;
  }
};

/// The questions of one round, and by its answers all that Alice discloses in it.
struct QueryBatch {
  std::vector<QueryGroup> groups;
  std::vector<std::uint32_t> nodes;  ///< those of each group but Open in turn, ascending within a group

  bool operator==(const QueryBatch&) const = default;
  [[nodiscard]] std::size_t answer_bits() const noexcept;
  void clear() noexcept {
    groups.clear();
    nodes.clear();
  }
};

/// How many nodes of a level cover so many places.
[[nodiscard]] constexpr std::uint32_t nodes_of(std::size_t places, unsigned level) noexcept {
  return static_cast<std::uint32_t>((places + (std::size_t{1} << level) - 1) >> level);
}

/// A batch as bytes. For each group, by ascending pass, kind and level, each at most once:
///   pass u8 ‖ kind·64 + level u8 ‖ for Open: layout u8; else: count ‖ last node ‖ the gaps between nodes
/// Numbers are LEB128. A gap, the nodes left out before the next, is Rice coded (least significant bit first: a one for
/// every 2^r, a zero, r bits), where r follows from count and last node; a group ends on a whole byte.
[[nodiscard]] std::vector<std::uint8_t> encode(const QueryBatch& batch);

/// Reads a batch into `batch`, whose storage is used again. Memory is bounded by the input and by `max_answer_bits`.
/// Errors: InvalidMessage/PROTOCOL_ERROR for what encode() does not write about a key of this size;
/// PeerMisbehaved/LIMIT for a batch of more than `max_answer_bits` answers. `batch` is then worthless.
Result<void> decode(Bytes bytes, std::size_t key_size, std::size_t max_answer_bits, QueryBatch& batch);

/// Answers are (bits + 7) / 8 bytes, least significant bit first.
[[nodiscard]] inline std::vector<std::uint8_t> encode(const Bits& answers) { return answers.to_bytes(); }
/// Error: InvalidMessage/PROTOCOL_ERROR unless it is exactly `expected` bits, with zeros behind them.
Result<Bits> decode_answers(Bytes bytes, std::size_t expected);

}  // namespace qsp::e91::cascade
