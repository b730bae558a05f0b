#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "e91/link/eve.hpp"
#include "e91/link/expected.hpp"
#include "e91/link/link_file.hpp"
#include "e91/local/local_link.hpp"
#include "qsp/crypto.hpp"

/// A link that is studied: what it is asked to be, and what that comes to.
namespace qsp::e91::study {

struct LinkOptions {
  std::string file;  ///< empty: the built-in link
  std::optional<double> distance_km, mean_pairs, slots_per_s, visibility, intrinsic_error, misalignment_deg, loss_db,
      efficiency, dark_counts, dead_time_ns, p_z;
  std::string mode;  ///< empty: the link's
  std::shared_ptr<const link::Eve> eve = link::no_eve();
  std::optional<std::uint64_t> block_bits;
  std::string seed;  ///< empty: none
};

inline constexpr std::uint64_t kShortestBlock = 100;  ///< far too short for a key, enough to see S

/// A link, who listens, and how large its blocks are.
struct Setup {
  link::LinkFile link;  ///< title, published figures, configuration
  std::shared_ptr<const link::Eve> eve;
  std::uint64_t block_bits = 0;
  bool p_z_is_chosen = false;  ///< it follows from the link and the block, nobody told it

  [[nodiscard]] local::LocalConfig local() const;
};

/// The link as the options have it. Where they do not say, a block is as long as a few seconds allow, up to 1 Mbit, and
/// p_z is what brings most key for a block of that length. Errors: text that names file and field.
files::OrText<Setup> set_up(const LinkOptions& options);

/// The provider of all random numbers of a run: the library's, or one that follows from a seed's text. 64 hex digits
/// are the seed itself, any other text is hashed to it.
class Randomness {
 public:
  static files::OrText<Randomness> create(const std::string& seed);
  [[nodiscard]] crypto::Provider& provider() noexcept { return seeded_ ? *seeded_ : *library_; }

 private:
  std::unique_ptr<crypto::Provider> library_;
  std::unique_ptr<crypto::Provider> seeded_;
};

/// A seed for a run that was given none, so that this one can be repeated too. Errors: text.
files::OrText<std::string> draw_seed();

/// Why blocks of a length cannot be made on a link.
struct BlockProblem {
  /// What is the most with which one message holds Bob's clicks; nothing where the link brings too little for a block.
  std::optional<std::uint64_t> most_bits;
};

/// Nothing where they can.
std::optional<BlockProblem> block_problem(const local::LocalConfig& config);

/// What a block is expected to bring where every count is its mean, with the very rules of the post-processing.
struct Forecast {
  std::uint64_t length = 0;  ///< ℓ, bits
  double seconds = 0;        ///< of simulated time
  double rate_per_s = 0;     ///< ℓ / seconds
  /// Of a run without end: 1 − h(e_phase) − f h(e_bit) for each sifted bit. At p_z = 0.9 where nobody told another:
  /// what is best for a block says nothing of it.
  double endless_rate_per_s = 0;
};

/// f that forecasts assume: bits that reconciliation discloses over n h(QBER).
inline constexpr double kAssumedEfficiency = 1.05;

Forecast forecast(const Setup& setup, const link::Eve& eve);

/// The fibre of both arms.
double fibre_km(const link::LinkConfig& link) noexcept;

}  // namespace qsp::e91::study
