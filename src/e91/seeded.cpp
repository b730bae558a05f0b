#include "e91/seeded.hpp"

#include <utility>

#include "base/split_mix.hpp"
#include "base/try.hpp"
#include "crypto/other_rng.hpp"

namespace qsp::e91 {
namespace {

class StreamRng final : public crypto::Rng {
 public:
  explicit StreamRng(RandomStream&& stream) noexcept : stream_(std::move(stream)) {}

  Result<void> fill(MutableBytes out) override {
    fill_from_words(out, [this] { return stream_.next(); });
    if (stream_.healthy()) return {};
    return fail(ErrorKind::Provider, Reason::InternalError, "the stream of random numbers has failed");
  }

 private:
  RandomStream stream_;
};

class SeededProvider final : public crypto::OtherRngProvider {
 public:
  SeededProvider(crypto::Provider& inner, RandomStream&& stream) noexcept
      : OtherRngProvider(inner), rng_(std::move(stream)) {}

  [[nodiscard]] crypto::Rng& rng() noexcept override { return rng_; }

 private:
  StreamRng rng_;
};

}  // namespace

Result<std::unique_ptr<crypto::Provider>> make_seeded_provider(crypto::Provider& inner, Seed&& seed) {
  QSP_TRY(auto stream, RandomStream::create(inner, std::move(seed)));
  return std::make_unique<SeededProvider>(inner, std::move(stream));
}

}  // namespace qsp::e91
