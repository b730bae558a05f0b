#include "crypto/openssl/signature.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/try.hpp"
#include "crypto/joined_signature.hpp"
#include "crypto/key_file.hpp"
#include "crypto/openssl/pkey.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto::openssl {
namespace {

using Row = SignatureAlgorithms::Row;

struct HedgeTag;
using Hedge = Secret<32, HedgeTag>;

const Row& row_of(SignatureId id) noexcept {
  const auto* const found = std::ranges::find(SignatureAlgorithms::kRows, id, &Row::id);
  return found == SignatureAlgorithms::kRows.end() ? SignatureAlgorithms::kRows.front() : *found;
}

const Row* row_of(const EVP_PKEY* key) noexcept {
  const auto* const found = std::ranges::find_if(SignatureAlgorithms::kRows,
                                                 [key](const Row& row) { return EVP_PKEY_is_a(key, row.name) == 1; });
  return found == SignatureAlgorithms::kRows.end() ? nullptr : found;
}

/// One key of one algorithm, with an operation context that is kept between uses; a part of JoinedSigner and
/// JoinedVerifier.
class KeyOperation {
 public:
  static Result<KeyOperation> make(const Library& library, EVP_SIGNATURE* method, const Row& row, Pkey key) {
    PkeyContext context(EVP_PKEY_CTX_new_from_pkey(Library::context(), key.get(), library.query()));
    if (!context || EVP_SIGNATURE_up_ref(method) != 1) return fail_provider("signature: no context for a key");
    return KeyOperation(row, std::move(key), SignatureMethod(method), std::move(context));
  }

  [[nodiscard]] std::size_t signature_size() const noexcept { return info(row_->id).signature_size; }

  [[nodiscard]] Result<std::vector<std::uint8_t>> public_key() const {
    std::vector<std::uint8_t> bytes(info(row_->id).public_key_size);
    std::size_t size = bytes.size();
    if (EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size) != 1 || size != bytes.size()) {
      return fail_provider("signature: a private key without its public key");
    }
    return bytes;
  }

  /// Precondition: `out` has signature_size() bytes.
  Result<void> sign(Bytes message, Rng& rng, MutableBytes out) const {
    Hedge hedge(row_->hedge_size);
    std::array<OSSL_PARAM, 2> params{OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
    if (row_->hedge_size > 0) {
      QSP_TRY(rng.fill(hedge.writable()));
      // Named for tests, this is OpenSSL's only way to take the hedge from the caller.
      params[0] =
          OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_TEST_ENTROPY, hedge.writable().data(), hedge.size());
    }
    std::size_t size = out.size();
    const std::lock_guard lock(*in_use_);
    if (EVP_PKEY_sign_message_init(context_.get(), method_.get(), params.data()) != 1 ||
        EVP_PKEY_sign(context_.get(), out.data(), &size, message.data(), message.size()) != 1 || size != out.size()) {
      return fail_provider("signature: signing failed");
    }
    return {};
  }

  /// Precondition: `signature` has signature_size() bytes.
  Result<void> verify(Bytes message, Bytes signature) const {
    if (EVP_PKEY_verify_message_init(context_.get(), method_.get(), nullptr) != 1) {
      return fail_provider("signature: verification cannot start");
    }
    if (EVP_PKEY_verify(context_.get(), signature.data(), signature.size(), message.data(), message.size()) != 1) {
      ERR_clear_error();
      return fail_signature();
    }
    return {};
  }

 private:
  KeyOperation(const Row& row, Pkey key, SignatureMethod method, PkeyContext context) noexcept
      : row_(&row), key_(std::move(key)), method_(std::move(method)), context_(std::move(context)) {}

  const Row* row_;
  Pkey key_;
  SignatureMethod method_;
  PkeyContext context_;
  /// Of the context: sessions on several threads sign with the same key.
  std::unique_ptr<std::mutex> in_use_ = std::make_unique<std::mutex>();
};

/// A verifier that its provider keeps for the next one who asks.
class SharedVerifier final : public Verifier {
 public:
  explicit SharedVerifier(std::shared_ptr<const Verifier> kept) noexcept : kept_(std::move(kept)) {}
  Result<void> verify(Bytes message, Bytes signature) const override { return kept_->verify(message, signature); }

 private:
  std::shared_ptr<const Verifier> kept_;
};

}  // namespace

SignatureAlgorithms::SignatureAlgorithms(const Library& library) : library_(&library) {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    const char* const name = kRows[i].name;
    const KeyManagement keys(EVP_KEYMGMT_fetch(Library::context(), name, library.query()));
    if (keys) methods_[i].reset(EVP_SIGNATURE_fetch(Library::context(), name, library.query()));
  }
}

bool SignatureAlgorithms::has(SignatureId id) const {
  return std::ranges::all_of(parts_of(id), [this](SignatureId part) { return method(row_of(part)) != nullptr; });
}

EVP_SIGNATURE* SignatureAlgorithms::method(const Row& row) const noexcept {
  return methods_[static_cast<std::size_t>(&row - kRows.data())].get();
}

Result<std::vector<Pkey>> SignatureAlgorithms::generate(SignatureId id) const {
  if (!has(id)) return lacks(id);
  std::vector<Pkey> keys;
  for (const SignatureId part : parts_of(id)) {
    QSP_TRY(Pkey key, generate_key(*library_, row_of(part).name, nullptr));
    keys.push_back(std::move(key));
  }
  return keys;
}

Result<std::unique_ptr<Signer>> SignatureAlgorithms::signer(std::vector<Pkey> keys) const {
  std::vector<PublicKey> public_keys;
  std::vector<KeyOperation> parts;
  for (Pkey& key : keys) {
    const Row* const row = row_of(key.get());
    if (row == nullptr) return fail_key("a private key of a type that QSP does not sign with");
    if (method(*row) == nullptr) return lacks(row->id);
    QSP_TRY(KeyOperation part, KeyOperation::make(*library_, method(*row), *row, std::move(key)));
    QSP_TRY(std::vector<std::uint8_t> raw, part.public_key());
    public_keys.push_back({row->id, std::move(raw)});
    parts.push_back(std::move(part));
  }
  std::optional<PublicKey> whole = join(public_keys);
  if (!whole) return fail_key("two private keys that are not Ed25519's and, behind it, ML-DSA-65's");
  return std::make_unique<JoinedSigner<KeyOperation>>(*std::move(whole), std::move(parts));
}

Result<std::unique_ptr<Verifier>> SignatureAlgorithms::verifier(const PublicKey& key) {
  const auto found = std::ranges::find(kept_, key, &Kept::key);
  if (found != kept_.end()) {
    std::rotate(kept_.begin(), found, found + 1);
  } else {
    Result<std::unique_ptr<Verifier>> made = make_verifier(key);
    if (!made) return made;
    if (kept_.size() == kKeptVerifiers) kept_.pop_back();
    kept_.insert(kept_.begin(), {key, *std::move(made)});
  }
  return std::make_unique<SharedVerifier>(kept_.front().verifier);
}

Result<std::unique_ptr<Verifier>> SignatureAlgorithms::make_verifier(const PublicKey& key) const {
  if (!has(key.algorithm)) return lacks(key.algorithm);
  if (key.bytes.size() != info(key.algorithm).public_key_size) return fail_key("a public key of the wrong length");
  Bytes rest(key.bytes);
  std::vector<KeyOperation> parts;
  for (const SignatureId id : parts_of(key.algorithm)) {
    const Row& row = row_of(id);
    const std::size_t size = info(id).public_key_size;
    if (id == SignatureId::Ed25519 && !is_canonical_ed25519(rest.first(size))) {
      return fail_key("an Ed25519 public key that is not reduced");
    }
    Pkey imported = import_public_key(*library_, row.name, nullptr, rest.first(size));
    ERR_clear_error();
    if (!imported) return fail_key("a public key that the library refuses");
    QSP_TRY(KeyOperation part, KeyOperation::make(*library_, method(row), row, std::move(imported)));
    parts.push_back(std::move(part));
    rest = rest.subspan(size);
  }
  return std::make_unique<JoinedVerifier<KeyOperation>>(key.algorithm, std::move(parts));
}

}  // namespace qsp::crypto::openssl
