// AEADs: what is sealed is the reference's, byte for byte; what is altered is refused and wiped; keys come and go.
#include <algorithm>
#include <array>
#include <memory>

#include "crypto/conformance.hpp"

namespace qsp::crypto::test::conformance {
namespace {

using Tag = std::array<std::uint8_t, kTagSize>;
constexpr Nonce kNonce{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7};

std::unique_ptr<Aead> keyed(Trial& trial, Provider& provider, AeadId id, std::uint64_t key = 1) {
  auto aead = trial.need(provider.aead(id), "the AEAD", info(id).name);
  trial.need(aead->set_key(TrafficKey::copy_of(filled(32, key))), "setting a key", info(id).name);
  return aead;
}

/// Data and its tag behind it.
Buffer sealed(Trial& trial, Aead& aead, Bytes plain, Bytes aad = {}, const Nonce& nonce = kNonce) {
  Buffer data = copy(plain);
  Tag tag{};
  trial.need(aead.seal(nonce, aad, data, tag), "sealing");
  return joined({data, tag});
}

/// Opens data with its tag behind it; what is left in place of the data goes to `left`.
Result<void> open(Aead& aead, Bytes both, Buffer& left, Bytes aad = {}, const Nonce& nonce = kNonce) {
  Tag tag{};
  std::ranges::copy(both.last(kTagSize), tag.begin());
  left = copy(both.first(both.size() - kTagSize));
  return aead.open(nonce, aad, left, tag);
}

void frames_of_all_sizes_are_the_references_and_open_in_place(Trial& trial) {
  for (const AeadId id : trial.aeads()) {
    const std::string_view name = info(id).name;
    const auto aead = keyed(trial, trial.provider(), id);
    const auto right = keyed(trial, trial.reference(), id);
    for (const std::size_t size :
         Sizes{0,   1,   15,  16,  17,  31,   32,   33,     63,     64,     65,     127,    128,    129,    255,
               256, 257, 511, 512, 513, 1000, 4096, 16'368, 16'384, 16'385, 65'519, 65'536, 65'537, 131'077}) {
      for (const std::size_t aad_size : Sizes{0, 1, 16, 25, 300}) {
        if (size > 20'000 && aad_size != 25) continue;
        const Buffer plain = filled(size);
        const Buffer aad = filled(aad_size, 2);
        const std::string what = std::to_string(size) + " bytes, " + std::to_string(aad_size) + " beside them";
        const Buffer frame = sealed(trial, *aead, plain, aad);
        trial.expect_equal(frame, sealed(trial, *right, plain, aad), "another frame: " + what, name);
        Buffer left;
        trial.need(open(*aead, frame, left, aad), "opening " + what, name);
        trial.expect_equal(left, plain, "opens to something else: " + what, name);
        trial.need(open(*right, frame, left, aad), "opening by the reference: " + what, name);
      }
    }
  }
}

void expect_refused(Trial& trial, const Result<void>& result, const Buffer& left, std::string_view what,
                    std::string_view name) {
  trial.expect_refused(result, ErrorKind::DecryptFailed, Reason::AeadDecryptFailed, what, name);
  trial.expect(left == Buffer(left.size()), std::string("bytes are left: ").append(what), name);
}

void what_was_altered_in_any_bit_is_refused_and_wiped(Trial& trial) {
  for (const AeadId id : trial.aeads()) {
    const std::string_view name = info(id).name;
    const auto aead = keyed(trial, trial.provider(), id);
    const Buffer plain = filled(70);
    const Buffer aad = filled(40, 2);
    const Buffer frame = sealed(trial, *aead, plain, aad);
    Buffer left;
    for (unsigned bit = 0; bit < 8; ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << bit);
      for (std::size_t at = 0; at < frame.size(); ++at) {
        expect_refused(trial, open(*aead, flipped(frame, at, mask), left, aad), left,
                       at < plain.size() ? "a bit of the data" : "a bit of the tag", name);
      }
      for (std::size_t at = 0; at < aad.size(); ++at) {
        expect_refused(trial, open(*aead, frame, left, flipped(aad, at, mask)), left, "a bit beside the data", name);
      }
      for (std::size_t at = 0; at < kNonceSize; ++at) {
        Nonce nonce = kNonce;
        nonce.at(at) ^= mask;
        expect_refused(trial, open(*aead, frame, left, aad, nonce), left, "a bit of the nonce", name);
      }
    }
    for (std::size_t size = 0; size < aad.size(); ++size) {
      expect_refused(trial, open(*aead, frame, left, Bytes(aad).first(size)), left, "less beside the data", name);
    }
    expect_refused(trial, open(*aead, frame, left, joined({aad, Buffer(1)})), left, "more beside the data", name);
    expect_refused(trial, open(*aead, Bytes(frame).subspan(1), left, aad), left, "the first byte cut off", name);
    trial.need(open(*aead, frame, left, aad), "opening the good frame after the others", name);
    trial.expect_equal(left, plain, "opens to something else after refusals", name);
  }
}

void large_frames_that_were_altered_are_refused_and_wiped(Trial& trial) {
  for (const AeadId id : trial.aeads()) {
    const std::string_view name = info(id).name;
    const auto aead = keyed(trial, trial.provider(), id);
    for (const std::size_t size : Sizes{16'384, 65'536, 70'001}) {
      const Buffer frame = sealed(trial, *aead, filled(size), as_bytes("header"));
      Buffer left;
      for (const std::size_t at : {std::size_t{0}, size / 2, size - 1, size, size + kTagSize - 1}) {
        expect_refused(trial, open(*aead, flipped(frame, at, 0x80), left, as_bytes("header")), left,
                       "a large frame with a bit altered", name);
      }
    }
  }
}

void a_frame_without_data_authenticates_what_is_beside_it(Trial& trial) {
  for (const AeadId id : trial.aeads()) {
    const std::string_view name = info(id).name;
    const auto aead = keyed(trial, trial.provider(), id);
    const Buffer frame = sealed(trial, *aead, {}, as_bytes("header"));
    Buffer left;
    trial.need(open(*aead, frame, left, as_bytes("header")), "opening a frame without data", name);
    expect_refused(trial, open(*aead, frame, left, as_bytes("headex")), left, "another header", name);
    expect_refused(trial, open(*aead, frame, left, {}), left, "no header", name);
    for (std::size_t at = 0; at < kTagSize; ++at) {
      expect_refused(trial, open(*aead, flipped(frame, at), left, as_bytes("header")), left, "the tag altered", name);
    }
  }
}

void expect_unkeyed(Trial& trial, Aead& aead, std::string_view what, std::string_view name) {
  for (const std::size_t size : Sizes{0, 20}) {
    Buffer data = filled(size);
    Tag tag{};
    trial.expect_refused(aead.seal(kNonce, {}, data, tag), ErrorKind::ApiMisuse, Reason::InternalError, what, name);
    trial.expect(data == Buffer(size), std::string("not wiped by seal: ").append(what), name);
    data = filled(size);
    trial.expect_refused(aead.open(kNonce, {}, data, tag), ErrorKind::ApiMisuse, Reason::InternalError, what, name);
    trial.expect(data == Buffer(size), std::string("not wiped by open: ").append(what), name);
  }
}

void without_a_key_nothing_is_sealed_or_opened_and_all_is_wiped(Trial& trial) {
  for (const AeadId id : trial.aeads()) {
    const std::string_view name = info(id).name;
    const auto fresh = trial.need(trial.provider().aead(id), "the AEAD", name);
    expect_unkeyed(trial, *fresh, "before any key", name);
    const auto aead = keyed(trial, trial.provider(), id);
    for (const std::size_t size : Sizes{0, 16, 24, 31}) {
      trial.expect_refused(aead->set_key(TrafficKey(size)), ErrorKind::Provider, Reason::InternalError,
                           "a key of " + std::to_string(size) + " bytes", name);
      expect_unkeyed(trial, *aead, "after a key that was refused", name);
    }
    trial.need(aead->set_key(TrafficKey::copy_of(filled(32, 3))), "setting a key after a refused one", name);
    const auto other = keyed(trial, trial.provider(), id, 3);
    trial.expect_equal(sealed(trial, *aead, filled(40)), sealed(trial, *other, filled(40)), "spoilt by a refused key",
                       name);
  }
}

void a_new_key_replaces_the_old_one_and_is_taken(Trial& trial) {
  for (const AeadId id : trial.aeads()) {
    const std::string_view name = info(id).name;
    const auto aead = keyed(trial, trial.provider(), id, 1);
    const Buffer old = sealed(trial, *aead, filled(30));
    TrafficKey key = TrafficKey::copy_of(filled(32, 2));
    trial.need(aead->set_key(std::move(key)), "setting a second key", name);
    // NOLINTNEXTLINE(bugprone-use-after-move): what is left of a key that was given away is the case.
    const Bytes left = key.reveal();
    trial.expect(std::ranges::all_of(left, [](std::uint8_t byte) { return byte == 0; }),
                 "the caller still holds the key that was given away", name);
    Buffer data;
    expect_refused(trial, open(*aead, old, data), data, "a frame of the old key", name);
    const auto right = keyed(trial, trial.reference(), id, 2);
    const Buffer frame = sealed(trial, *aead, filled(30));
    trial.expect_equal(frame, sealed(trial, *right, filled(30)), "not under the new key", name);
    trial.need(open(*aead, frame, data), "opening under the new key", name);
  }
}

void objects_and_directions_do_not_disturb_each_other(Trial& trial) {
  for (const AeadId id : trial.aeads()) {
    const std::string_view name = info(id).name;
    const auto one = keyed(trial, trial.provider(), id, 1);
    const auto two = keyed(trial, trial.provider(), id, 2);
    const auto right = keyed(trial, trial.reference(), id, 1);
    for (std::uint8_t i = 0; i < 20; ++i) {
      Nonce nonce = kNonce;
      nonce[0] = i;
      const Buffer frame = sealed(trial, *one, filled(50, i), {}, nonce);
      trial.expect_equal(frame, sealed(trial, *right, filled(50, i), {}, nonce), "another frame in turn", name);
      Buffer left;
      expect_refused(trial, open(*two, frame, left, {}, nonce), left, "a frame of another object's key", name);
      if (i % 3 == 0) expect_refused(trial, open(*one, filled(30), left, {}, nonce), left, "no frame", name);
      trial.need(open(*one, frame, left, {}, nonce), "opening in turn", name);
      trial.expect_equal(left, filled(50, i), "opens to something else in turn", name);
    }
  }
}

}  // namespace

std::vector<Check> aead_checks() {
  return {
      {"aead_frames_of_all_sizes_are_the_references_and_open_in_place",
       frames_of_all_sizes_are_the_references_and_open_in_place},
      {"aead_what_was_altered_in_any_bit_is_refused_and_wiped", what_was_altered_in_any_bit_is_refused_and_wiped},
      {"aead_large_frames_that_were_altered_are_refused_and_wiped",
       large_frames_that_were_altered_are_refused_and_wiped},
      {"aead_a_frame_without_data_authenticates_what_is_beside_it",
       a_frame_without_data_authenticates_what_is_beside_it},
      {"aead_without_a_key_nothing_is_sealed_or_opened_and_all_is_wiped",
       without_a_key_nothing_is_sealed_or_opened_and_all_is_wiped},
      {"aead_a_new_key_replaces_the_old_one_and_is_taken", a_new_key_replaces_the_old_one_and_is_taken},
      {"aead_objects_and_directions_do_not_disturb_each_other", objects_and_directions_do_not_disturb_each_other},
  };
}

}  // namespace qsp::crypto::test::conformance
