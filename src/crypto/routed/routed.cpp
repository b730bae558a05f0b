#include "crypto/routed/routed.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/try.hpp"
#include "crypto/routed/sized_aead.hpp"

namespace qsp::crypto {
namespace {

/// Asks for a passphrase once, and gives the same answer to whoever asks again.
class AskOnce {
 public:
  explicit AskOnce(const AskPassphrase& ask) noexcept : ask_(&ask) {}

  /// Nobody, where there is nobody to ask.
  [[nodiscard]] AskPassphrase asking() {
    if (!*ask_) return {};
    return [this]() -> std::optional<SecretBytes> {
      if (!std::exchange(asked_, true)) answer_ = (*ask_)();
      if (!answer_) return std::nullopt;
      return answer_->copy();
    };
  }

 private:
  const AskPassphrase* ask_;
  bool asked_ = false;
  std::optional<SecretBytes> answer_;
};

class RoutedProvider final : public Provider {
 public:
  RoutedProvider(std::vector<Part> parts, std::span<const Route> routes);

  [[nodiscard]] std::string_view description() const noexcept override { return description_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return capabilities_; }
  [[nodiscard]] Rng& rng() noexcept override { return *rng_; }
  [[nodiscard]] Hkdf& hkdf() noexcept override { return *hkdf_; }

  Result<std::unique_ptr<Aead>> aead(AeadId id) override;
  Result<const Kem*> kem(KemId id) override;
  Result<std::unique_ptr<Verifier>> verifier(const PublicKey& key) override;
  Result<std::unique_ptr<Signer>> load_signer(std::string_view pem, const AskPassphrase& ask) override;
  Result<PublicKey> load_public_key(std::string_view pem) override { return any().load_public_key(pem); }
  Result<SecretBytes> generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) override;
  Result<std::string> public_key_pem(const PublicKey& key) override { return any().public_key_pem(key); }
  Result<std::unique_ptr<Keystream>> keystream(TrafficKey&& key) override;
  [[nodiscard]] std::string_view library_of(const Algorithm& algorithm) const noexcept override;

 private:
  struct Served {
    Algorithm algorithm;
    Provider* by;  ///< null: no part has it
    Provider* above;
    std::size_t size;     ///< what is longer goes to `above`
    std::string library;  ///< in words
  };

  [[nodiscard]] Served serve(const Route& route) const;
  [[nodiscard]] Provider* find(Library library, const Algorithm& algorithm) const noexcept;
  [[nodiscard]] const Served& served(const Algorithm& algorithm) const noexcept;
  /// For what all do alike.
  [[nodiscard]] Provider& any() const noexcept { return *parts_.front().provider; }
  [[nodiscard]] std::vector<Provider*> readers() const;
  [[nodiscard]] bool tells_more(const Error& error, const Error& than) const noexcept;

  std::vector<Part> parts_;
  std::vector<Served> served_;
  Capabilities capabilities_;
  std::string description_;
  Rng* rng_;
  Hkdf* hkdf_;
};

RoutedProvider::RoutedProvider(std::vector<Part> parts, std::span<const Route> routes) : parts_(std::move(parts)) {
  for (const Route& route : routes) served_.push_back(serve(route));
  const auto has = [this](const Algorithm& algorithm) { return served(algorithm).by != nullptr; };
  for (const KemInfo& row : kKems) {
    if (has(row.id)) capabilities_.kems.push_back(row.id);
  }
  for (const SignatureInfo& row : kSignatures) {
    if (has(row.id)) capabilities_.signatures.push_back(row.id);
  }
  for (const AeadInfo& row : kAeads) {
    if (has(row.id)) capabilities_.aeads.push_back(row.id);
  }
  capabilities_.keystream = has(Primitive::Keystream);
  for (const Part& part : parts_) {
    if (!description_.empty()) description_ += " and ";
    description_ += part.provider->description();
  }
  rng_ = &served(Primitive::Random).by->rng();
  hkdf_ = &served(Primitive::Hkdf).by->hkdf();
}

Provider* RoutedProvider::find(Library library, const Algorithm& algorithm) const noexcept {
  const auto found = std::ranges::find_if(
      parts_, [&](const Part& part) { return part.library == library && can(*part.provider, algorithm); });
  return found == parts_.end() ? nullptr : found->provider.get();
}

RoutedProvider::Served RoutedProvider::serve(const Route& route) const {
  Served serving{.algorithm = route.algorithm,
                 .by = find(route.library, route.algorithm),
                 .above = route.above ? find(route.above->library, route.algorithm) : nullptr,
                 .size = route.above ? route.above->size : 0,
                 .library = {}};
  if (serving.by == nullptr) serving.by = std::exchange(serving.above, nullptr);
  for (const Part& part : parts_) {
    if (serving.by == nullptr && can(*part.provider, route.algorithm)) serving.by = part.provider.get();
  }
  if (serving.by == nullptr) return serving;
  serving.library = serving.by->description();
  if (serving.above == nullptr) return serving;
  serving.library.append(" up to ").append(std::to_string(serving.size)).append(" bytes, ");
  serving.library.append(serving.above->description()).append(" above");
  return serving;
}

const RoutedProvider::Served& RoutedProvider::served(const Algorithm& algorithm) const noexcept {
  return *std::ranges::find(served_, algorithm, &Served::algorithm);
}

Result<std::unique_ptr<Aead>> RoutedProvider::aead(AeadId id) {
  const Served& serving = served(id);
  if (serving.by == nullptr) return lacks(id);
  QSP_TRY(auto small, serving.by->aead(id));
  if (serving.above == nullptr) return small;
  QSP_TRY(auto large, serving.above->aead(id));
  return make_sized_aead(std::move(small), std::move(large), serving.size);
}

Result<const Kem*> RoutedProvider::kem(KemId id) {
  const Served& serving = served(id);
  if (serving.by == nullptr) return lacks(id);
  return serving.by->kem(id);
}

Result<std::unique_ptr<Verifier>> RoutedProvider::verifier(const PublicKey& key) {
  const Served& serving = served(key.algorithm);
  if (serving.by == nullptr) return lacks(key.algorithm);
  return serving.by->verifier(key);
}

/// The parts, and first the one that serves most signatures: it is seldom the wrong one to read a key.
std::vector<Provider*> RoutedProvider::readers() const {
  std::vector<Provider*> readers;
  for (const Part& part : parts_) readers.push_back(part.provider.get());
  const auto signatures = [this](const Provider* provider) {
    return std::ranges::count_if(served_, [provider](const Served& serving) {
      return serving.by == provider && std::holds_alternative<SignatureId>(serving.algorithm);
    });
  };
  std::ranges::iter_swap(readers.begin(), std::ranges::max_element(readers, {}, signatures));
  return readers;
}

/// Of the reasons for which two parts cannot read a key: one that knows the key's algorithm has more to say than one
/// that lacks it, unless all lack it.
bool RoutedProvider::tells_more(const Error& error, const Error& than) const noexcept {
  const auto rank = [this](const Error& of) {
    for (const SignatureInfo& row : kSignatures) {
      if (of.where == lacks(row.id).error().where) return capabilities_.has(row.id) ? 0 : 2;
    }
    return 1;
  };
  return rank(error) > rank(than);
}

Result<std::unique_ptr<Signer>> RoutedProvider::load_signer(std::string_view pem, const AskPassphrase& ask) {
  AskOnce once(ask);
  std::optional<Error> refused;
  for (Provider* const provider : readers()) {
    Result<std::unique_ptr<Signer>> signer = provider->load_signer(pem, once.asking());
    if (!signer) {
      if (!refused || tells_more(signer.error(), *refused)) refused = signer.error();
      continue;
    }
    Provider* const best = served((*signer)->public_key().algorithm).by;
    if (best == provider) return signer;
    if (auto better = best->load_signer(pem, once.asking())) return better;
    return signer;
  }
  return std::unexpected(*refused);
}

Result<SecretBytes> RoutedProvider::generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) {
  const Served& serving = served(id);
  if (serving.by == nullptr) return lacks(id);
  return serving.by->generate_private_key(id, passphrase);
}

Result<std::unique_ptr<Keystream>> RoutedProvider::keystream(TrafficKey&& key) {
  const Served& serving = served(Primitive::Keystream);
  if (serving.by == nullptr) return Provider::keystream(std::move(key));
  return serving.by->keystream(std::move(key));
}

std::string_view RoutedProvider::library_of(const Algorithm& algorithm) const noexcept {
  return served(algorithm).library;
}

}  // namespace

std::unique_ptr<Provider> make_routed_provider(std::vector<Part> parts, std::span<const Route> routes) {
  return std::make_unique<RoutedProvider>(std::move(parts), routes);
}

}  // namespace qsp::crypto
