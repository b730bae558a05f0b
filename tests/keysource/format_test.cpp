#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "keysource/crc64.hpp"
#include "keysource/pad_format.hpp"
#include "wire/cursor.hpp"

namespace qsp::keysource {
namespace {

TEST(Crc64, gives_the_published_check_value) {
  // CRC-64/XZ in Greg Cook's catalogue of parametrised CRC algorithms.
  EXPECT_EQ(crc64(as_bytes("123456789")), 0x995DC9BBDF1939FAU);
  EXPECT_EQ(crc64(as_bytes("6789"), crc64(as_bytes("12345"))), 0x995DC9BBDF1939FAU);
}

const PadHeader kHeader{.pad_id = pad_id_from({1, 2, 3, 4, 5, 6, 7, 8}),
                        .half = Half::B,
                        .simulated = true,
                        .keys = 1001,
                        .link = "berlin-paris"};

TEST(PadHeader, survives_a_round_trip) {
  const auto read = decode_pad_header(encode(kHeader));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->pad_id, kHeader.pad_id);
  EXPECT_EQ(read->half, Half::B);
  EXPECT_TRUE(read->simulated);
  EXPECT_EQ(read->keys, 1001U);
  EXPECT_EQ(read->link, "berlin-paris");
}

TEST(PadHeader, with_any_byte_altered_or_any_length_cut_is_refused) {
  const auto good = encode(kHeader);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto altered = good;
    altered[i] ^= 1U;
    EXPECT_FALSE(decode_pad_header(altered)) << i;
    EXPECT_FALSE(decode_pad_header(Bytes(good).first(i))) << i;
  }
}

TEST(PadHeader, out_of_bounds_is_refused_though_its_checksum_fits) {
  for (const std::uint64_t keys : {std::uint64_t{0}, kMinPadKeys - 1, kMaxPadKeys + 1, ~std::uint64_t{0}}) {
    PadHeader header = kHeader;
    header.keys = keys;
    EXPECT_FALSE(decode_pad_header(encode(header))) << keys;
  }
  PadHeader nameless = kHeader;
  nameless.link.clear();
  EXPECT_FALSE(decode_pad_header(encode(nameless)));
  PadHeader long_winded = kHeader;
  long_winded.link.assign(kMaxLinkNameSize + 1, 'x');
  EXPECT_FALSE(decode_pad_header(encode(long_winded)));
}

TEST(JournalHeader, survives_a_round_trip_and_no_damage) {
  const JournalHeader header{
      .pad_id = kHeader.pad_id, .half = Half::A, .keys = 77, .pad_file = {12345, 1'700'000'000'123'456'789}};
  const auto good = encode(header);
  EXPECT_EQ(decode_journal_header(good), header);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto altered = good;
    altered[i] ^= 0x80U;
    EXPECT_FALSE(decode_journal_header(altered)) << i;
  }
}

TEST(Halves, cover_every_key_once) {
  for (const std::uint64_t keys : {2U, 3U, 100U, 101U}) {
    const KeyRange a = range_of(Half::A, keys);
    const KeyRange b = range_of(Half::B, keys);
    EXPECT_EQ(a.first, 0U);
    EXPECT_EQ(a.end, b.first);
    EXPECT_EQ(b.end, keys);
    EXPECT_GE(a.size(), b.size());
    EXPECT_LE(a.size() - b.size(), 1U);
  }
}

TEST(KeyId, counts_the_keys_of_its_pad_and_is_a_valid_uuid) {
  std::set<Uuid> all;
  for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{255}, kMaxPadKeys - 1}) {
    const Uuid id = key_id_of(kHeader.pad_id, index);
    EXPECT_EQ(index_of(kHeader.pad_id, id), index);
    EXPECT_EQ(id[6] >> 4U, 8) << "version 8";
    EXPECT_EQ(id[8] >> 6U, 2) << "the variant of RFC 9562";
    all.insert(id);
  }
  EXPECT_EQ(all.size(), 4U);
}

TEST(KeyId, of_another_pad_or_form_counts_nothing) {
  const Uuid id = key_id_of(kHeader.pad_id, 5);
  for (std::size_t i = 0; i < 8; ++i) {
    Uuid altered = id;
    altered[i] ^= 1U;
    EXPECT_FALSE(index_of(kHeader.pad_id, altered)) << i;
  }
  for (const unsigned variant : {0x00U, 0x40U, 0xc0U}) {
    Uuid altered = id;
    altered[8] = static_cast<std::uint8_t>(variant);
    EXPECT_FALSE(index_of(kHeader.pad_id, altered)) << variant;
  }
}

TEST(PadRecord, with_any_byte_altered_or_under_another_index_is_not_intact) {
  std::vector<std::uint8_t> record(kRecordSize, 0x5A);
  wire::Writer(MutableBytes(record).subspan(kKeySize))
      .u64(record_check(kHeader.pad_id, 7, Bytes(record).first(kKeySize)));
  EXPECT_TRUE(is_intact(kHeader.pad_id, 7, record));
  EXPECT_FALSE(is_intact(kHeader.pad_id, 8, record));
  for (std::uint8_t& byte : record) {
    byte ^= 1U;
    EXPECT_FALSE(is_intact(kHeader.pad_id, 7, record));
    byte ^= 1U;
  }
}

TEST(PadRecord, is_erased_where_all_of_it_is_zero) {
  std::vector<std::uint8_t> record(kRecordSize);
  EXPECT_TRUE(is_erased(record));
  for (std::uint8_t& byte : record) {
    byte = 0x80;
    EXPECT_FALSE(is_erased(record));
    byte = 0;
  }
}

}  // namespace
}  // namespace qsp::keysource
