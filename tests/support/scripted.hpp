#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "crypto/other_rng.hpp"
#include "qsp/crypto.hpp"

namespace qsp::test {

/// Random bytes written down beforehand. Fails with Provider/INTERNAL_ERROR once they are used up.
class ScriptedRng final : public crypto::Rng {
 public:
  explicit ScriptedRng(std::vector<std::uint8_t> script) noexcept : script_(std::move(script)) {}
  Result<void> fill(MutableBytes out) override;
  [[nodiscard]] std::size_t left() const noexcept { return script_.size() - used_; }

 private:
  std::vector<std::uint8_t> script_;
  std::size_t used_ = 0;
};

/// Another provider, with its randomness replaced or its failures dictated. `inner` outlives it and its objects, and it
/// outlives the objects that it makes.
class ScriptedProvider final : public crypto::OtherRngProvider {
 public:
  explicit ScriptedProvider(crypto::Provider& inner) noexcept;
  ~ScriptedProvider() override;

  /// Random bytes come from here, and no longer from `inner`.
  void use_rng(crypto::Rng& rng) noexcept { rng_ = &rng; }

  /// The operation after `count` more fails with Provider/INTERNAL_ERROR, and so does every later one. Operations are
  /// those of Rng, Hkdf and Aead, and the making of an Aead.
  void fail_after(std::uint64_t count) noexcept { left_ = count, once_ = false; }
  /// That operation fails, and later ones do not.
  void fail_once_after(std::uint64_t count) noexcept { left_ = count, once_ = true; }
  void never_fail() noexcept { left_ = std::numeric_limits<std::uint64_t>::max(); }
  /// Operations since the last call of this.
  std::uint64_t take_count() noexcept { return std::exchange(count_, 0); }

  [[nodiscard]] crypto::Rng& rng() noexcept override;
  [[nodiscard]] crypto::Hkdf& hkdf() noexcept override;
  Result<std::unique_ptr<crypto::Aead>> aead(crypto::AeadId id) override;

 private:
  class CountedRng;
  class CountedHkdf;
  class CountedAead;

  /// Counts one operation. False: it has to fail.
  bool admit() noexcept;

  crypto::Rng* rng_;
  std::unique_ptr<CountedRng> counted_rng_;
  std::unique_ptr<CountedHkdf> counted_hkdf_;
  std::uint64_t left_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t count_ = 0;
  bool once_ = false;
};

}  // namespace qsp::test
