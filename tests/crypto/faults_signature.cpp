#include <algorithm>
#include <array>
#include <memory>
#include <thread>

#include "crypto/conformance.hpp"
#include "crypto/faults.hpp"

namespace qsp::crypto::test {
namespace {

using conformance::filled;
using conformance::flipped;
using conformance::Stream;

constexpr std::string_view kBoth = "signature_both_providers_verify_what_either_signed";
constexpr std::string_view kHedge = "signature_the_hedge_is_the_callers_in_the_stated_amount";
constexpr std::string_view kFails = "signature_a_generator_that_fails_fails_the_signature";
constexpr std::string_view kAltered = "signature_what_was_altered_is_refused";
constexpr std::string_view kLength = "signature_of_another_length_is_refused";
constexpr std::string_view kKeyLength = "signature_public_keys_of_other_lengths_are_refused";
constexpr std::string_view kComposite = "signature_the_composite_needs_both_halves_in_order";
constexpr std::string_view kSecondS = "signature_ed25519_takes_no_second_form_of_s";
constexpr std::string_view kReduced = "signature_ed25519_keys_that_are_not_reduced_are_refused";
constexpr std::string_view kOdd = "signature_ed25519_judges_odd_points_as_the_reference_does";
constexpr std::string_view kThreads = "signature_a_signer_may_be_used_by_any_thread";

std::unexpected<Error> refusal(ErrorKind kind) { return fail(kind, Reason::HandshakeFailed, "a fault"); }

/// A verifier's verdict where the sound one refuses.
using Second = std::function<Result<void>(const Verifier&, Bytes message, Bytes signature)>;
void think_twice(Faults& faults, Second second) {
  faults.verify = [=](Provider&, const PublicKey&, const Verifier& verifier, Bytes message, Bytes signature) {
    const Result<void> verified = verifier.verify(message, signature);
    return verified ? verified : second(verifier, message, signature);
  };
}

/// The composite is what one of its halves is.
void need_half(Faults& faults, SignatureId id, bool first) {
  faults.verify = [=](Provider& provider, const PublicKey& key, const Verifier& verifier, Bytes message,
                      Bytes signature) -> Result<void> {
    if (key.algorithm != SignatureId::Ed25519MlDsa65 || signature.size() != info(key.algorithm).signature_size) {
      return verifier.verify(message, signature);
    }
    const Bytes whole(key.bytes);
    const PublicKey half{id, copy(first ? whole.first(32) : whole.subspan(32))};
    return must(provider.verifier(half))->verify(message, first ? signature.first(64) : signature.subspan(64));
  };
}

/// L of RFC 8032 taken from S once, if it can be.
Buffer less_l(Bytes signature) {
  constexpr std::array<std::uint8_t, 16> kLow{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                              0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14};
  Buffer less = copy(signature);
  int borrow = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const int subtrahend = i < kLow.size() ? kLow.at(i) : i == 31 ? 0x10 : 0;
    const int digit = less[32 + i] - subtrahend - borrow;
    borrow = digit < 0 ? 1 : 0;
    less[32 + i] = static_cast<std::uint8_t>(digit);
  }
  return less;
}

void refuse_keys(Faults& faults, bool (*refuses)(Bytes key)) {
  faults.verifier = [=](Provider& provider, const PublicKey& key) -> Result<std::unique_ptr<Verifier>> {
    if (key.algorithm == SignatureId::Ed25519 && key.bytes.size() == 32 && refuses(key.bytes)) {
      return refusal(ErrorKind::ApiMisuse);
    }
    return provider.verifier(key);
  };
}

class OddRng final : public Rng {
 public:
  OddRng(Rng& inner, void (*odd)(Rng& inner, MutableBytes out)) : inner_(&inner), odd_(odd) {}
  Result<void> fill(MutableBytes out) override {
    odd_(*inner_, out);
    return {};
  }

 private:
  Rng* inner_;
  void (*odd_)(Rng& inner, MutableBytes out);
};

void hedge_by(Faults& faults, void (*odd)(Rng& inner, MutableBytes out)) {
  faults.sign = [=](const Signer& signer, Bytes message, Rng& rng) {
    OddRng other(rng, odd);
    return signer.sign(message, other);
  };
}

std::vector<Fault> faults_of_signing() {
  return {
      {"signs_another_text", kBoth,
       [](Faults& faults) {
         faults.sign = [](const Signer& signer, Bytes message, Rng& rng) {
           return signer.sign(joined({as_bytes("text"), message}), rng);
         };
         faults.verify = [](Provider&, const PublicKey&, const Verifier& verifier, Bytes message, Bytes signature) {
           return verifier.verify(joined({as_bytes("text"), message}), signature);
         };
       }},
      {"refuses_what_others_sign", kBoth,
       [](Faults& faults) {
         const auto own = std::make_shared<std::vector<Buffer>>();
         faults.sign = [own](const Signer& signer, Bytes message, Rng& rng) {
           auto made = signer.sign(message, rng);
           own->push_back(*made);
           return made;
         };
         faults.verify = [own](Provider&, const PublicKey& key, const Verifier& verifier, Bytes message,
                               Bytes signature) -> Result<void> {
           const bool made_here =
               std::ranges::any_of(*own, [&](const Buffer& each) { return std::ranges::equal(each, signature); });
           if (key.algorithm != SignatureId::Ed25519 && !made_here) return refusal(ErrorKind::PeerMisbehaved);
           return verifier.verify(message, signature);
         };
       }},
      {"draws_too_much_for_a_hedge", kHedge,
       [](Faults& faults) {
         hedge_by(faults, [](Rng& inner, MutableBytes out) {
           Buffer more(out.size() + 1);
           must(inner.fill(more));
           std::copy_n(more.begin(), out.size(), out.begin());
         });
       }},
      {"hedges_from_elsewhere", kHedge,
       [](Faults& faults) {
         hedge_by(faults, [](Rng& inner, MutableBytes out) {
           must(inner.fill(out));
           Stream own(70);
           must(own.fill(out));
         });
       }},
      {"draws_for_ed25519_too", kHedge,
       [](Faults& faults) {
         faults.sign = [](const Signer& signer, Bytes message, Rng& rng) -> Result<std::vector<std::uint8_t>> {
           Buffer unused(signer.public_key().algorithm == SignatureId::Ed25519 ? 32 : 0);
           must(rng.fill(unused));
           return signer.sign(message, rng);
         };
       }},
      {"signs_unhedged_where_the_generator_fails", kFails,
       [](Faults& faults) {
         hedge_by(faults, [](Rng& inner, MutableBytes out) {
           if (!inner.fill(out)) std::ranges::fill(out, std::uint8_t{0});
         });
       }},
      {"signs_on_the_thread_of_its_loading_alone", kThreads,
       [](Faults& faults) {
         const auto home = std::make_shared<std::thread::id>();
         faults.load_signer = [home](Provider& provider, std::string_view pem, const AskPassphrase& ask) {
           *home = std::this_thread::get_id();
           return provider.load_signer(pem, ask);
         };
         faults.sign = [home](const Signer& signer, Bytes message, Rng& rng) -> Result<std::vector<std::uint8_t>> {
           if (*home != std::this_thread::get_id()) return refusal(ErrorKind::Provider);
           return signer.sign(message, rng);
         };
       }},
  };
}

std::vector<Fault> faults_of_verifying() {
  return {
      {"ignores_a_bit_of_the_signature", kAltered,
       [](Faults& faults) {
         think_twice(faults, [](const Verifier& verifier, Bytes message, Bytes signature) -> Result<void> {
           if (signature.empty()) return verifier.verify(message, signature);
           return verifier.verify(message, flipped(signature, signature.size() - 1, 0x80));
         });
       }},
      {"verifies_the_beginning_of_a_message", kAltered,
       [](Faults& faults) {
         const auto beginning = [](Bytes message) { return message.first(std::min<std::size_t>(message.size(), 10)); };
         faults.sign = [=](const Signer& signer, Bytes message, Rng& rng) {
           return signer.sign(beginning(message), rng);
         };
         faults.verify = [=](Provider&, const PublicKey&, const Verifier& verifier, Bytes message, Bytes signature) {
           return verifier.verify(beginning(message), signature);
         };
       }},
      {"names_another_kind_for_a_bad_signature", kAltered,
       [](Faults& faults) {
         think_twice(faults,
                     [](const Verifier&, Bytes, Bytes) -> Result<void> { return refusal(ErrorKind::InvalidMessage); });
       }},
      {"verifies_under_any_key", kAltered,
       [](Faults& faults) {
         const auto first = std::make_shared<PublicKey>();
         faults.verify = [first](Provider& provider, const PublicKey& key, const Verifier& verifier, Bytes message,
                                 Bytes signature) {
           if (first->algorithm != key.algorithm) *first = key;
           const Result<void> verified = verifier.verify(message, signature);
           return verified ? verified : must(provider.verifier(*first))->verify(message, signature);
         };
       }},
      {"takes_a_longer_signature", kLength,
       [](Faults& faults) {
         faults.verify = [](Provider&, const PublicKey& key, const Verifier& verifier, Bytes message, Bytes signature) {
           return verifier.verify(message,
                                  signature.first(std::min(signature.size(), info(key.algorithm).signature_size)));
         };
       }},
      {"takes_no_signature_for_one", kLength,
       [](Faults& faults) {
         think_twice(faults, [](const Verifier& verifier, Bytes message, Bytes signature) -> Result<void> {
           if (signature.empty()) return {};
           return verifier.verify(message, signature);
         });
       }},
      {"takes_keys_of_other_lengths", kKeyLength,
       [](Faults& faults) {
         faults.verifier = [](Provider& provider, PublicKey key) {
           key.bytes.resize(info(key.algorithm).public_key_size);
           return provider.verifier(key);
         };
       }},
      {"blames_the_peer_for_a_key_of_another_length", kKeyLength,
       [](Faults& faults) {
         faults.verifier = [](Provider& provider, const PublicKey& key) -> Result<std::unique_ptr<Verifier>> {
           auto made = provider.verifier(key);
           if (!made) return refusal(ErrorKind::PeerMisbehaved);
           return made;
         };
       }},
      {"writes_keys_of_other_lengths", kKeyLength,
       [](Faults& faults) {
         faults.public_key_pem = [](Provider& provider, PublicKey key) {
           key.bytes.resize(info(key.algorithm).public_key_size);
           return provider.public_key_pem(key);
         };
       }},
      {"needs_ed25519_of_the_composite_alone", kComposite,
       [](Faults& faults) { need_half(faults, SignatureId::Ed25519, true); }},
      {"needs_ml_dsa_of_the_composite_alone", kComposite,
       [](Faults& faults) { need_half(faults, SignatureId::MlDsa65, false); }},
      {"takes_the_halves_in_either_order", kComposite,
       [](Faults& faults) {
         think_twice(faults, [](const Verifier& verifier, Bytes message, Bytes signature) {
           constexpr std::size_t kMlDsa = 3309;
           if (signature.size() != kMlDsa + 64) return verifier.verify(message, signature);
           return verifier.verify(message, joined({signature.subspan(kMlDsa), signature.first(kMlDsa)}));
         });
       }},
      {"takes_s_beyond_l", kSecondS,
       [](Faults& faults) {
         think_twice(faults, [](const Verifier& verifier, Bytes message, Bytes signature) {
           return verifier.verify(message, signature.size() == 64 ? less_l(signature) : copy(signature));
         });
       }},
      {"takes_keys_that_are_not_reduced", kReduced,
       [](Faults& faults) {
         faults.verifier = [](Provider& provider, const PublicKey& key) {
           auto made = provider.verifier(key);
           return made ? std::move(made) : provider.verifier({key.algorithm, Buffer(key.bytes.size())});
         };
       }},
      {"refuses_the_neutral_element_as_a_key", kOdd,
       [](Faults& faults) {
         refuse_keys(faults, [](Bytes key) {
           return key.front() == 1 && std::ranges::all_of(key.subspan(1), [](std::uint8_t byte) { return byte == 0; });
         });
       }},
  };
}

}  // namespace

std::vector<Fault> signature_faults() {
  std::vector<Fault> all = faults_of_signing();
  const std::vector<Fault> more = faults_of_verifying();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace qsp::crypto::test
