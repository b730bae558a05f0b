#include <gtest/gtest.h>

#include <map>

#include "e91/local/local_link.hpp"
#include "e91/seeded.hpp"
#include "qsp/openssl.hpp"

/// A thousand links of their own, a block each. What has to hold always is counted, not hoped for.
namespace qsp::e91::local {
namespace {

constexpr std::uint64_t kRuns = 1000;
/// Of honest blocks that are given up, what is allowed: of a thousand one, on average. Poisson: more than 6 of them
/// would be seen once in 12,000 times.
constexpr std::uint64_t kMostHonestAborts = 6;

class Thousand : public testing::TestWithParam<Mode> {
 protected:
  std::unique_ptr<crypto::Provider> library_ = crypto::make_openssl_provider().value();

  struct Count {
    std::uint64_t keys = 0;
    std::uint64_t unequal = 0;
    std::map<post::Abort, std::uint64_t> aborts;
  };

  Count play(const link::Eve& eve, double visibility) {
    LocalConfig config{.link = {}, .post = {}, .block_bits = 20'000};
    config.link.mode = config.post.mode = GetParam();
    config.link.p_z = 0.7;
    config.link.statistics = link::PairStatistics::Single;
    config.link.mean_pairs = 1;
    config.link.visibility = visibility;
    Count count;
    for (std::uint64_t run = 0; run < kRuns; ++run) {
      Seed seed;
      std::copy_n(reinterpret_cast<const std::uint8_t*>(&run), sizeof run, seed.writable().begin());
      const auto provider = make_seeded_provider(*library_, std::move(seed)).value();
      const auto outcome = LocalLink::create(*provider, config, eve).value()->block().value();
      if (outcome.alice.aborted != outcome.bob.aborted || !outcome.keys_equal) ++count.unequal;
      if (outcome.alice.aborted) {
        ++count.aborts[*outcome.alice.aborted];
      } else {
        ++count.keys;
      }
    }
    return count;
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, Thousand, testing::Values(Mode::Biased, Mode::Classic));

TEST_P(Thousand, intercepted_links_abort_each_time) {
  const Count count = play(*link::parse_eve("intercept:1").value(), 1);
  EXPECT_EQ(count.keys, 0U);
  EXPECT_EQ(count.unequal, 0U);
}

TEST_P(Thousand, honest_links_hardly_ever_abort) {
  const Count count = play(*link::no_eve(), 0.96);
  EXPECT_LE(kRuns - count.keys, kMostHonestAborts);
  EXPECT_EQ(count.unequal, 0U) << "two ends with different keys, or one with none";
  for (const auto& [reason, times] : count.aborts)
    RecordProperty(std::string(describe(reason)), static_cast<int>(times));
}

}  // namespace
}  // namespace qsp::e91::local
