#include "support/scripted.hpp"

#include <algorithm>
#include <utility>

namespace qsp::test {
namespace {

using namespace crypto;

std::unexpected<Error> dictated() noexcept {
  return fail(ErrorKind::Provider, Reason::InternalError, "failure dictated by a test");
}

}  // namespace

Result<void> ScriptedRng::fill(MutableBytes out) {
  if (out.size() > left()) return fail(ErrorKind::Provider, Reason::InternalError, "scripted random bytes used up");
  std::ranges::copy(Bytes(script_).subspan(used_, out.size()), out.begin());
  used_ += out.size();
  return {};
}

class ScriptedProvider::CountedRng final : public Rng {
 public:
  explicit CountedRng(ScriptedProvider& owner) noexcept : owner_(owner) {}
  Result<void> fill(MutableBytes out) override { return owner_.admit() ? owner_.rng_->fill(out) : dictated(); }

 private:
  ScriptedProvider& owner_;
};

class ScriptedProvider::CountedHkdf final : public Hkdf {
 public:
  explicit CountedHkdf(ScriptedProvider& owner) noexcept : owner_(owner) {}
  Result<Digest> hash(Parts parts) override { return owner_.admit() ? inner().hash(parts) : dictated(); }
  Result<Digest> hmac(Bytes key, Parts parts) override {
    return owner_.admit() ? inner().hmac(key, parts) : dictated();
  }
  Result<ScheduleSecret> extract(Bytes salt, Parts ikm) override {
    if (!owner_.admit()) return dictated();
    return inner().extract(salt, ikm);
  }
  Result<void> expand(Bytes prk, Parts info, MutableBytes out) override {
    if (owner_.admit()) return inner().expand(prk, info, out);
    wipe(out);
    return dictated();
  }

 private:
  Hkdf& inner() noexcept { return owner_.original().hkdf(); }
  ScriptedProvider& owner_;
};

class ScriptedProvider::CountedAead final : public Aead {
 public:
  CountedAead(ScriptedProvider& owner, std::unique_ptr<Aead> inner) noexcept
      : owner_(owner), inner_(std::move(inner)) {}
  Result<void> set_key(TrafficKey&& key) override {
    usable_ = owner_.admit();
    return usable_ ? inner_->set_key(std::move(key)) : dictated();
  }
  Result<void> seal(const Nonce& nonce, Bytes aad, MutableBytes data, std::span<std::uint8_t, kTagSize> tag) override {
    if (usable_ && owner_.admit()) return inner_->seal(nonce, aad, data, tag);
    wipe(data);
    return dictated();
  }
  Result<void> open(const Nonce& nonce, Bytes aad, MutableBytes data,
                    std::span<const std::uint8_t, kTagSize> tag) override {
    if (usable_ && owner_.admit()) return inner_->open(nonce, aad, data, tag);
    wipe(data);
    return dictated();
  }

 private:
  ScriptedProvider& owner_;
  std::unique_ptr<Aead> inner_;
  bool usable_ = false;
};

ScriptedProvider::ScriptedProvider(Provider& inner) noexcept
    : OtherRngProvider(inner),
      rng_(&inner.rng()),
      counted_rng_(std::make_unique<CountedRng>(*this)),
      counted_hkdf_(std::make_unique<CountedHkdf>(*this)) {}

ScriptedProvider::~ScriptedProvider() = default;

Rng& ScriptedProvider::rng() noexcept { return *counted_rng_; }
Hkdf& ScriptedProvider::hkdf() noexcept { return *counted_hkdf_; }

Result<std::unique_ptr<Aead>> ScriptedProvider::aead(AeadId id) {
  if (!admit()) return dictated();
  auto inner = original().aead(id);
  if (!inner) return std::unexpected(inner.error());
  return std::make_unique<CountedAead>(*this, std::move(*inner));
}

bool ScriptedProvider::admit() noexcept {
  ++count_;
  if (left_ == 0) {
    if (once_) never_fail();
    return false;
  }
  if (left_ != std::numeric_limits<std::uint64_t>::max()) --left_;
  return true;
}

}  // namespace qsp::test
