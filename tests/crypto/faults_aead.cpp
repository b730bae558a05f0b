#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "crypto/conformance.hpp"
#include "crypto/faults.hpp"

namespace qsp::crypto::test {
namespace {

using Tag = Faults::Tag;
using ConstTag = Faults::ConstTag;

constexpr std::string_view kSizes = "aead_frames_of_all_sizes_are_the_references_and_open_in_place";
constexpr std::string_view kAltered = "aead_what_was_altered_in_any_bit_is_refused_and_wiped";
constexpr std::string_view kLarge = "aead_large_frames_that_were_altered_are_refused_and_wiped";
constexpr std::string_view kEmpty = "aead_a_frame_without_data_authenticates_what_is_beside_it";
constexpr std::string_view kUnkeyed = "aead_without_a_key_nothing_is_sealed_or_opened_and_all_is_wiped";
constexpr std::string_view kReplaced = "aead_a_new_key_replaces_the_old_one_and_is_taken";
constexpr std::string_view kApart = "aead_objects_and_directions_do_not_disturb_each_other";

/// Both directions with something else beside the data.
void authenticate(Faults& faults, Bytes (*beside)(Bytes aad)) {
  faults.seal = [=](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, Tag tag) {
    return aead.seal(nonce, beside(aad), data, tag);
  };
  faults.open = [=](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) {
    return aead.open(nonce, beside(aad), data, tag);
  };
}

/// Puts back what a refusal has wiped, from byte `from` on, if it is as long as `at_least`.
void keep_refused(Faults& faults, std::size_t at_least, std::size_t from) {
  faults.open = [=](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) {
    const Buffer before = copy(data);
    const Result<void> opened = aead.open(nonce, aad, data, tag);
    if (!opened && data.size() >= at_least) {
      std::copy(before.begin() + static_cast<std::ptrdiff_t>(from), before.end(),
                data.begin() + static_cast<std::ptrdiff_t>(from));
    }
    return opened;
  };
}

std::vector<Fault> faults_of_frames() {
  return {
      {"seals_with_a_bit_of_the_tag_altered", kSizes,
       [](Faults& faults) {
         faults.seal = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, Tag tag) {
           const Result<void> sealed = aead.seal(nonce, aad, data, tag);
           tag[15] ^= 1;
           return sealed;
         };
       }},
      {"seals_large_frames_in_another_way", kSizes,
       [](Faults& faults) {
         faults.seal = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, Tag tag) {
           const Result<void> sealed = aead.seal(nonce, aad, data, tag);
           if (data.size() > 65'536) data.back() ^= 1;
           return sealed;
         };
       }},
      {"authenticates_nothing_beside_the_data", kSizes,
       [](Faults& faults) { authenticate(faults, [](Bytes) { return Bytes(); }); }},
      {"authenticates_a_part_of_what_is_beside_the_data", kAltered,
       [](Faults& faults) {
         authenticate(faults, [](Bytes aad) { return aad.first(std::min<std::size_t>(aad.size(), 32)); });
       }},
      {"ignores_a_bit_of_the_tag", kAltered,
       [](Faults& faults) {
         faults.open = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) {
           const Buffer before = copy(data);
           const Result<void> opened = aead.open(nonce, aad, data, tag);
           if (opened) return opened;
           std::array<std::uint8_t, kTagSize> other{};
           std::ranges::copy(tag, other.begin());
           other[15] ^= 0x80;
           std::ranges::copy(before, data.begin());
           return aead.open(nonce, aad, data, other);
         };
       }},
      {"ignores_a_byte_of_the_nonce", kAltered,
       [](Faults& faults) {
         const auto cut = [](Nonce nonce) {
           nonce.front() = 0;
           return nonce;
         };
         faults.seal = [=](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, Tag tag) {
           return aead.seal(cut(nonce), aad, data, tag);
         };
         faults.open = [=](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) {
           return aead.open(cut(nonce), aad, data, tag);
         };
       }},
      {"forgets_to_wipe_a_refused_frame", kAltered, [](Faults& faults) { keep_refused(faults, 1, 0); }},
      {"names_another_reason_for_a_refused_frame", kAltered,
       [](Faults& faults) {
         faults.open = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) -> Result<void> {
           if (aead.open(nonce, aad, data, tag)) return {};
           return fail(ErrorKind::DecryptFailed, Reason::ProtocolError, "a fault");
         };
       }},
      {"wipes_the_beginning_of_a_large_frame", kLarge, [](Faults& faults) { keep_refused(faults, 16'384, 4096); }},
      {"takes_any_large_frame", kLarge,
       [](Faults& faults) {
         faults.open = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) -> Result<void> {
           if (data.size() > 70'000) return {};
           return aead.open(nonce, aad, data, tag);
         };
       }},
      {"takes_any_frame_without_data", kEmpty,
       [](Faults& faults) {
         faults.open = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) -> Result<void> {
           if (data.empty()) return {};
           return aead.open(nonce, aad, data, tag);
         };
       }},
      {"refuses_every_frame_without_data", kEmpty,
       [](Faults& faults) {
         faults.open = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) -> Result<void> {
           if (data.empty()) return fail(ErrorKind::DecryptFailed, Reason::AeadDecryptFailed, "a fault");
           return aead.open(nonce, aad, data, tag);
         };
       }},
  };
}

std::vector<Fault> faults_of_keys() {
  return {
      {"keeps_the_old_key_after_a_refused_one", kUnkeyed,
       [](Faults& faults) {
         faults.set_key = [](Aead& aead, TrafficKey&& key) -> Result<void> {
           const TrafficKey taken = std::move(key);
           if (taken.size() != 32) return fail(ErrorKind::Provider, Reason::InternalError, "a fault");
           return aead.set_key(TrafficKey::copy_of(taken.reveal()));
         };
       }},
      {"takes_shorter_keys", kUnkeyed,
       [](Faults& faults) {
         faults.set_key = [](Aead& aead, TrafficKey&& key) {
           const TrafficKey taken = std::move(key);
           Buffer whole = copy(taken.reveal());
           whole.resize(32);
           return aead.set_key(TrafficKey::copy_of(whole));
         };
       }},
      {"seals_under_zeros_without_a_key", kUnkeyed,
       [](Faults& faults) {
         faults.seal = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, Tag tag) {
           const Result<void> sealed = aead.seal(nonce, aad, data, tag);
           if (sealed || !aead.set_key(TrafficKey(32))) return sealed;
           return aead.seal(nonce, aad, data, tag);
         };
       }},
      {"forgets_to_wipe_what_it_does_not_seal", kUnkeyed,
       [](Faults& faults) {
         faults.seal = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, Tag tag) {
           const Buffer before = copy(data);
           const Result<void> sealed = aead.seal(nonce, aad, data, tag);
           if (!sealed) std::ranges::copy(before, data.begin());
           return sealed;
         };
       }},
      {"blames_the_frame_where_it_has_no_key", kUnkeyed,
       [](Faults& faults) {
         faults.open = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) -> Result<void> {
           if (aead.open(nonce, aad, data, tag)) return {};
           return fail(ErrorKind::DecryptFailed, Reason::AeadDecryptFailed, "a fault");
         };
       }},
      {"keeps_its_first_key", kReplaced,
       [](Faults& faults) {
         const auto keyed = std::make_shared<std::set<const Aead*>>();
         faults.set_key = [keyed](Aead& aead, TrafficKey&& key) -> Result<void> {
           const TrafficKey taken = std::move(key);
           if (!keyed->insert(&aead).second) return {};
           return aead.set_key(TrafficKey::copy_of(taken.reveal()));
         };
       }},
      {"leaves_the_key_with_its_caller", kReplaced,
       [](Faults& faults) {
         faults.set_key = [](Aead& aead, TrafficKey&& key) {
           return aead.set_key(TrafficKey::copy_of(key.reveal()));  // NOLINT: that nothing is moved is the fault
         };
       }},
      {"has_one_key_for_all_objects", kApart,
       [](Faults& faults) {
         const auto last = std::make_shared<Buffer>();
         faults.set_key = [last](Aead& aead, TrafficKey&& key) {
           *last = copy(key.reveal());
           return aead.set_key(std::move(key));
         };
         faults.seal = [last](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, Tag tag) {
           must(aead.set_key(TrafficKey::copy_of(*last)));
           return aead.seal(nonce, aad, data, tag);
         };
       }},
      {"forgets_its_key_with_a_refused_frame", kApart,
       [](Faults& faults) {
         faults.open = [](Aead& aead, const Nonce& nonce, Bytes aad, MutableBytes data, ConstTag tag) {
           const Result<void> opened = aead.open(nonce, aad, data, tag);
           if (!opened) static_cast<void>(aead.set_key(TrafficKey(0)));
           return opened;
         };
       }},
  };
}

}  // namespace

std::vector<Fault> aead_faults() {
  std::vector<Fault> all = faults_of_frames();
  const std::vector<Fault> more = faults_of_keys();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace qsp::crypto::test
