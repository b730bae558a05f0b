#include "e91/seeded.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/other_rng.hpp"

namespace qsp::e91 {
namespace {

class SeededRng final : public crypto::Rng {
 public:
  explicit SeededRng(RandomStream&& stream) noexcept : stream_(std::move(stream)) {}

  Result<void> fill(MutableBytes out) override {
    while (!out.empty()) {
      std::uint64_t word = stream_.next();
      const std::size_t size = std::min<std::size_t>(8, out.size());
      for (std::uint8_t& byte : out.first(size)) {
        byte = static_cast<std::uint8_t>(word);
        word >>= 8;
      }
      out = out.subspan(size);
    }
    if (!stream_.healthy()) return fail_stream();
    return {};
  }

 private:
  static std::unexpected<Error> fail_stream() noexcept {
    return qsp::fail(ErrorKind::Provider, Reason::InternalError, "the stream of random numbers has failed");
  }
  RandomStream stream_;
};

class SeededProvider final : public crypto::OtherRngProvider {
 public:
  SeededProvider(crypto::Provider& inner, RandomStream&& stream) noexcept
      : OtherRngProvider(inner), rng_(std::move(stream)) {}

  [[nodiscard]] crypto::Rng& rng() noexcept override { return rng_; }

 private:
  SeededRng rng_;
};

}  // namespace

Result<std::unique_ptr<crypto::Provider>> make_seeded_provider(crypto::Provider& inner, Seed&& seed) {
  auto stream = RandomStream::create(inner, std::move(seed));
  if (!stream) return std::unexpected(stream.error());
  return std::make_unique<SeededProvider>(inner, std::move(*stream));
}

}  // namespace qsp::e91
