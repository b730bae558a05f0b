#include <algorithm>
#include <iterator>

#include "crypto/faults.hpp"

namespace qsp::crypto::test {
namespace {

constexpr std::size_t kMost = std::size_t{255} * kHashSize;
constexpr std::string_view kValues = "hkdf_values_are_the_references";
constexpr std::string_view kParts = "hkdf_parts_are_hashed_as_if_joined";
constexpr std::string_view kSalt = "hkdf_an_empty_salt_is_32_zero_bytes";
constexpr std::string_view kLimits = "hkdf_limits_are_kept_and_a_refusal_leaves_zeros";

Bytes first_of(Parts parts) { return parts.size() == 0 ? Bytes() : *parts.begin(); }

}  // namespace

std::vector<Fault> hkdf_faults() {
  return {
      {"hashes_long_texts_in_another_way", kValues,
       [](Faults& faults) {
         faults.hash = [](Hkdf& hkdf, Parts parts) {
           auto digest = hkdf.hash(parts);
           if (first_of(parts).size() > 1000) digest->front() ^= 1;
           return digest;
         };
       }},
      {"pads_keys_of_a_block_in_another_way", kValues,
       [](Faults& faults) {
         faults.hmac = [](Hkdf& hkdf, Bytes key, Parts parts) {
           return hkdf.hmac(key.size() == 64 ? key.first(63) : key, parts);
         };
       }},
      {"exchanges_salt_and_key_material", kValues,
       [](Faults& faults) {
         faults.extract = [](Hkdf& hkdf, Bytes salt, Parts ikm) { return hkdf.extract(first_of(ikm), {salt}); };
       }},
      {"expands_without_the_context", kValues,
       [](Faults& faults) {
         faults.expand = [](Hkdf& hkdf, Bytes prk, Parts, MutableBytes out) { return hkdf.expand(prk, {}, out); };
       }},
      {"hashes_the_first_part_alone", kParts,
       [](Faults& faults) { faults.hash = [](Hkdf& hkdf, Parts parts) { return hkdf.hash({first_of(parts)}); }; }},
      {"expands_with_a_length_before_each_part", kParts,
       [](Faults& faults) {
         faults.expand = [](Hkdf& hkdf, Bytes prk, Parts info, MutableBytes out) {
           Buffer joined;
           for (const Bytes part : info) {
             joined.push_back(static_cast<std::uint8_t>(part.size()));
             joined.insert(joined.end(), part.begin(), part.end());
           }
           return hkdf.expand(prk, {joined}, out);
         };
       }},
      {"has_another_salt_for_none", kSalt,
       [](Faults& faults) {
         faults.extract = [](Hkdf& hkdf, Bytes salt, Parts ikm) {
           return hkdf.extract(salt.empty() ? as_bytes("none") : salt, ikm);
         };
       }},
      {"expands_to_256_blocks", kLimits,
       [](Faults& faults) {
         faults.expand = [](Hkdf& hkdf, Bytes prk, Parts info, MutableBytes out) {
           return hkdf.expand(prk, info, out.first(std::min(out.size(), kMost)));
         };
       }},
      {"takes_a_short_key", kLimits,
       [](Faults& faults) {
         faults.expand = [](Hkdf& hkdf, Bytes prk, Parts info, MutableBytes out) {
           Buffer whole = copy(prk);
           whole.resize(std::max<std::size_t>(whole.size(), kHashSize));
           return hkdf.expand(whole, info, out);
         };
       }},
      {"leaves_what_was_there_when_it_refuses", kLimits,
       [](Faults& faults) {
         faults.expand = [](Hkdf& hkdf, Bytes prk, Parts info, MutableBytes out) {
           const Result<void> expanded = hkdf.expand(prk, info, out);
           if (!expanded) std::ranges::fill(out, std::uint8_t{0xee});
           return expanded;
         };
       }},
      {"blames_itself_for_a_short_key", kLimits,
       [](Faults& faults) {
         faults.expand = [](Hkdf& hkdf, Bytes prk, Parts info, MutableBytes out) -> Result<void> {
           if (hkdf.expand(prk, info, out)) return {};
           return fail(ErrorKind::Internal, Reason::InternalError, "a fault");
         };
       }},
  };
}

}  // namespace qsp::crypto::test
