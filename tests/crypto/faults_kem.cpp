#include <algorithm>

#include "crypto/conformance.hpp"
#include "crypto/faults.hpp"

namespace qsp::crypto::test {
namespace {

using conformance::filled;
using conformance::Stream;

std::unexpected<Error> refusal(ErrorKind kind = ErrorKind::InvalidMessage, Reason reason = Reason::HandshakeFailed) {
  return fail(kind, reason, "a fault");
}

const Layout& layout_of(KemId id) { return *std::ranges::find(kLayouts, id, &Layout::id); }

/// A share or ciphertext with its point replaced by another's.
Buffer with_point_of(const Layout& layout, Bytes whole, Bytes other) {
  Buffer mended = copy(whole);
  const auto point = other.subspan(layout.ecdh_at(other.size()), layout.ecdh_share);
  std::ranges::copy(point, mended.begin() + static_cast<std::ptrdiff_t>(layout.ecdh_at(whole.size())));
  return mended;
}

using Takes = std::function<bool(Bytes point)>;

/// Points that `takes` names become good ones, at both ends.
void take_points(Faults& faults, Takes takes) {
  const auto point = [](const Layout& layout, Bytes whole) {
    return whole.subspan(layout.ecdh_at(whole.size()), layout.ecdh_share);
  };
  faults.encapsulate = [=](const Kem& kem, Bytes share, Rng& rng) -> Result<Encapsulation> {
    const Layout& layout = layout_of(kem.id());
    if (layout.ecdh_share == 0 || !takes(point(layout, share))) return kem.encapsulate(share, rng);
    Stream own(50);
    return kem.encapsulate(with_point_of(layout, share, must(kem.generate(own))->public_key()), rng);
  };
  faults.decapsulate = [=](KemPrivateKey& key, KemId id, Bytes ciphertext) -> Result<SharedSecret> {
    const Layout& layout = layout_of(id);
    if (layout.ecdh_share == 0 || !takes(point(layout, ciphertext))) return key.decapsulate(ciphertext);
    return key.decapsulate(with_point_of(layout, ciphertext, key.public_key()));
  };
}

/// What is refused is taken after all, with another point in it.
void take_refused_points(Faults& faults) {
  faults.encapsulate = [](const Kem& kem, Bytes share, Rng& rng) -> Result<Encapsulation> {
    auto made = kem.encapsulate(share, rng);
    if (made) return made;
    Stream own(50);
    return kem.encapsulate(with_point_of(layout_of(kem.id()), share, must(kem.generate(own))->public_key()), rng);
  };
}

/// A generator in the place of another.
class OddRng final : public Rng {
 public:
  using Fill = std::function<Result<void>(Rng&, MutableBytes)>;
  OddRng(Rng& inner, Fill fill) : inner_(&inner), fill_(std::move(fill)) {}
  Result<void> fill(MutableBytes out) override { return fill_(*inner_, out); }

 private:
  Rng* inner_;
  Fill fill_;
};

void draw_by(Faults& faults, const OddRng::Fill& fill) {
  faults.generate = [=](const Kem& kem, Rng& rng) {
    OddRng odd(rng, fill);
    return kem.generate(odd);
  };
  faults.encapsulate = [=](const Kem& kem, Bytes share, Rng& rng) {
    OddRng odd(rng, fill);
    return kem.encapsulate(share, odd);
  };
}

/// Too long or too short for its KEM, made to fit.
Buffer fitted(Bytes bytes, std::size_t size) {
  Buffer fits = copy(bytes);
  fits.resize(size);
  return fits;
}

/// Every other ciphertext than the last that was made is damaged. What is done with it is up to `then`.
void judge_damaged(Faults& faults, std::function<Result<SharedSecret>(Bytes good_secret)> then) {
  struct Last {
    Buffer ciphertext, secret;
  };
  const auto last = std::make_shared<Last>();
  faults.encapsulate = [last](const Kem& kem, Bytes share, Rng& rng) {
    auto made = kem.encapsulate(share, rng);
    if (made) *last = {made->ciphertext, copy(made->secret.reveal())};
    return made;
  };
  faults.decapsulate = [last, then](KemPrivateKey& key, KemId, Bytes ciphertext) -> Result<SharedSecret> {
    if (std::ranges::equal(ciphertext, last->ciphertext)) return key.decapsulate(ciphertext);
    return then(last->secret);
  };
}

void swap_halves(SharedSecret& secret) {
  const MutableBytes bytes = secret.writable();
  std::rotate(bytes.begin(), bytes.begin() + 32, bytes.end());
}

void refuse_shares(Faults& faults, const Takes& refuses) {
  faults.encapsulate = [=](const Kem& kem, Bytes share, Rng& rng) -> Result<Encapsulation> {
    if (kem.id() == KemId::X25519MlKem768 && refuses(share.last(32))) return refusal();
    return kem.encapsulate(share, rng);
  };
}

bool is_form(Bytes point, std::initializer_list<int> forms) {
  return point.size() > 32 && std::ranges::count(forms, int{point.front()}) > 0;
}

constexpr std::string_view kSizes = "kem_sizes_are_those_of_the_suite_table";
constexpr std::string_view kLengths = "kem_every_other_length_is_refused";
constexpr std::string_view kAgree = "kem_both_ends_agree_with_each_other_and_with_the_reference";
constexpr std::string_view kDraws = "kem_randomness_is_the_callers_in_the_stated_amounts_and_order";
constexpr std::string_view kFails = "kem_a_generator_that_fails_fails_the_operation";
constexpr std::string_view kDamaged = "kem_a_damaged_ml_kem_ciphertext_yields_another_secret_and_no_error";
constexpr std::string_view kForms = "share_points_in_other_forms_are_refused";
constexpr std::string_view kOff = "share_points_off_their_curve_are_refused";
constexpr std::string_view kBeyond = "share_coordinates_at_or_above_the_prime_are_refused";
constexpr std::string_view kSmall = "share_x25519_of_small_order_is_refused";
constexpr std::string_view kReduced = "share_x25519_that_is_not_reduced_is_taken_as_if_it_were";
constexpr std::string_view kModulus = "share_ml_kem_keys_that_are_not_reduced_are_refused";

std::vector<Fault> faults_of_results() {
  return {
      {"gives_a_longer_share", kSizes,
       [](Faults& faults) { faults.share = [](KemId, Bytes share) { return fitted(share, share.size() + 1); }; }},
      {"gives_a_longer_ciphertext", kSizes,
       [](Faults& faults) {
         faults.encapsulate = [](const Kem& kem, Bytes share, Rng& rng) {
           auto made = kem.encapsulate(share, rng);
           if (made) made->ciphertext.push_back(0);
           return made;
         };
       }},
      {"gives_a_shorter_secret", kSizes,
       [](Faults& faults) {
         faults.decapsulate = [](KemPrivateKey& key, KemId, Bytes ciphertext) -> Result<SharedSecret> {
           const SharedSecret whole = must(key.decapsulate(ciphertext));
           return SharedSecret::copy_of(whole.reveal().first(whole.size() - 1));
         };
       }},
      {"is_another_kem", kSizes, [](Faults& faults) { faults.kem_id = [](KemId) { return KemId::MlKem512; }; }},
      {"takes_shares_of_any_length", kLengths,
       [](Faults& faults) {
         faults.encapsulate = [](const Kem& kem, Bytes share, Rng& rng) {
           return kem.encapsulate(fitted(share, info(kem.id()).public_key_size), rng);
         };
       }},
      {"takes_a_longer_ciphertext", kLengths,
       [](Faults& faults) {
         faults.decapsulate = [](KemPrivateKey& key, KemId id, Bytes ciphertext) {
           return key.decapsulate(ciphertext.first(std::min(ciphertext.size(), info(id).ciphertext_size)));
         };
       }},
      {"takes_a_shorter_ciphertext", kLengths,
       [](Faults& faults) {
         faults.decapsulate = [](KemPrivateKey& key, KemId id, Bytes ciphertext) {
           return key.decapsulate(fitted(ciphertext, std::max(ciphertext.size(), info(id).ciphertext_size)));
         };
       }},
      {"blames_the_caller_for_a_wrong_length", kLengths,
       [](Faults& faults) {
         faults.encapsulate = [](const Kem& kem, Bytes share, Rng& rng) -> Result<Encapsulation> {
           if (share.size() != info(kem.id()).public_key_size) return refusal(ErrorKind::ApiMisuse);
           return kem.encapsulate(share, rng);
         };
       }},
      {"joins_secrets_in_another_order", kAgree,
       [](Faults& faults) {
         faults.encapsulate = [](const Kem& kem, Bytes share, Rng& rng) {
           auto made = kem.encapsulate(share, rng);
           if (made && made->secret.size() > 32) swap_halves(made->secret);
           return made;
         };
         faults.decapsulate = [](KemPrivateKey& key, KemId, Bytes ciphertext) {
           auto secret = key.decapsulate(ciphertext);
           if (secret && secret->size() > 32) swap_halves(*secret);
           return secret;
         };
       }},
      {"decapsulates_with_a_bit_altered", kAgree,
       [](Faults& faults) {
         faults.decapsulate = [](KemPrivateKey& key, KemId, Bytes ciphertext) {
           auto secret = key.decapsulate(ciphertext);
           if (secret) secret->writable().back() ^= 0x80;
           return secret;
         };
       }},
      {"fails_for_a_damaged_ciphertext", kDamaged,
       [](Faults& faults) { judge_damaged(faults, [](Bytes) -> Result<SharedSecret> { return refusal(); }); }},
      {"takes_a_damaged_ciphertext_for_a_good_one", kDamaged,
       [](Faults& faults) {
         judge_damaged(faults, [](Bytes good) -> Result<SharedSecret> { return SharedSecret::copy_of(good); });
       }},
      {"has_one_secret_for_all_damaged_ciphertexts", kDamaged,
       [](Faults& faults) {
         judge_damaged(faults,
                       [](Bytes good) -> Result<SharedSecret> { return SharedSecret::copy_of(filled(good.size())); });
       }},
  };
}

std::vector<Fault> faults_of_randomness() {
  return {
      {"draws_a_byte_too_much", kDraws,
       [](Faults& faults) {
         draw_by(faults, [](Rng& rng, MutableBytes out) {
           Buffer more(out.size() + 1);
           const Result<void> filled = rng.fill(more);
           std::copy_n(more.begin(), out.size(), out.begin());
           return filled;
         });
       }},
      {"draws_in_another_order", kDraws,
       [](Faults& faults) {
         draw_by(faults, [](Rng& rng, MutableBytes out) {
           const Result<void> filled = rng.fill(out);
           std::rotate(out.begin(), out.begin() + 16, out.end());
           return filled;
         });
       }},
      {"draws_from_elsewhere", kDraws,
       [](Faults& faults) {
         const auto own = std::make_shared<Stream>(60);
         draw_by(faults, [own](Rng& rng, MutableBytes out) {
           const Result<void> filled = rng.fill(out);
           return filled ? own->fill(out) : filled;
         });
       }},
      {"draws_and_uses_nothing", kDraws,
       [](Faults& faults) {
         draw_by(faults, [](Rng& rng, MutableBytes out) {
           const Result<void> filled = rng.fill(out);
           std::ranges::fill(out, std::uint8_t{1});
           return filled;
         });
       }},
      {"goes_on_where_the_generator_fails", kFails,
       [](Faults& faults) {
         draw_by(faults, [](Rng& rng, MutableBytes out) {
           if (!rng.fill(out)) std::ranges::fill(out, std::uint8_t{1});
           return Result<void>();
         });
       }},
      {"blames_the_peer_where_the_generator_fails", kFails,
       [](Faults& faults) {
         draw_by(faults, [](Rng& rng, MutableBytes out) -> Result<void> {
           if (!rng.fill(out)) return refusal();
           return {};
         });
       }},
  };
}

std::vector<Fault> faults_of_shares() {
  return {
      {"takes_hybrid_points", kForms,
       [](Faults& faults) { take_points(faults, [](Bytes point) { return is_form(point, {0x06, 0x07}); }); }},
      {"takes_compressed_points", kForms,
       [](Faults& faults) { take_points(faults, [](Bytes point) { return is_form(point, {0x02, 0x03}); }); }},
      {"takes_the_point_at_infinity", kForms,
       [](Faults& faults) {
         take_points(faults, [](Bytes point) {
           return point.size() > 32 && std::ranges::all_of(point, [](std::uint8_t byte) { return byte == 0; });
         });
       }},
      {"takes_coordinates_of_zeros", kForms,
       [](Faults& faults) {
         take_points(faults, [](Bytes point) {
           return is_form(point, {0x04}) &&
                  std::ranges::all_of(point.subspan(1), [](std::uint8_t byte) { return byte == 0; });
         });
       }},
      {"takes_points_off_the_curve", kOff, take_refused_points},
      {"reduces_coordinates", kBeyond,
       [](Faults& faults) {
         take_points(faults, [](Bytes point) {
           const auto is_beyond = [](Bytes coordinate) {
             const auto is_one = [](std::uint8_t byte) { return byte == 0xff; };
             return std::ranges::all_of(coordinate.first(4), is_one) &&
                    !std::ranges::all_of(coordinate.first(32), is_one);
           };
           return is_form(point, {0x04}) &&
                  (is_beyond(point.subspan(1)) || is_beyond(point.subspan(1 + point.size() / 2)));
         });
       }},
      {"takes_shares_of_small_order", kSmall, take_refused_points},
      {"takes_the_share_one", kSmall,
       [](Faults& faults) {
         take_points(faults, [](Bytes point) {
           return point.size() == 32 && point.front() == 1 &&
                  std::ranges::all_of(point.subspan(1), [](std::uint8_t byte) { return byte == 0; });
         });
       }},
      {"refuses_x25519_shares_that_are_not_reduced", kReduced,
       [](Faults& faults) {
         refuse_shares(faults, [](Bytes u) {
           return u.back() == 0x7f &&
                  std::ranges::all_of(u.subspan(1, 30), [](std::uint8_t byte) { return byte == 0xff; });
         });
       }},
      {"refuses_x25519_shares_with_the_highest_bit", kReduced,
       [](Faults& faults) { refuse_shares(faults, [](Bytes u) { return u.back() >= 0x80; }); }},
      {"takes_ml_kem_keys_that_are_not_reduced", kModulus,
       [](Faults& faults) {
         faults.encapsulate = [](const Kem& kem, Bytes share, Rng& rng) {
           auto made = kem.encapsulate(share, rng);
           if (made) return made;
           Stream own(50);
           return kem.encapsulate(must(kem.generate(own))->public_key(), rng);
         };
       }},
      {"refuses_ml_kem_keys_with_a_coefficient_of_q_less_one", kModulus,
       [](Faults& faults) {
         faults.encapsulate = [](const Kem& kem, Bytes share, Rng& rng) -> Result<Encapsulation> {
           const Bytes key = layout_of(kem.id()).ml_kem_part(share);
           if (key[0] == 0x00 && (key[1] & 0x0fU) == 0x0d) return refusal();
           return kem.encapsulate(share, rng);
         };
       }},
  };
}

}  // namespace

std::vector<Fault> kem_faults() {
  std::vector<Fault> all = faults_of_results();
  for (const auto& part : {faults_of_randomness(), faults_of_shares()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace qsp::crypto::test
