// Keys as text and as records: PEM, pads, the store of a KME, ETSI GS QKD 014.

#include <algorithm>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "constant_time/watch.hpp"
#include "crypto/key_file.hpp"
#include "crypto/pem.hpp"
#include "identity/key_files.hpp"
#include "json/json.hpp"
#include "keysource/pad_format.hpp"
#include "kme/store/text.hpp"
#include "wire/cursor.hpp"

namespace qsp::test {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer some_bytes(std::size_t size) {
  Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 89 + 3);
  return bytes;
}

/// What stands between the boundaries of the one block of a text.
std::string_view body_of(std::string_view pem) {
  const std::size_t begin = pem.find("-----\n") + 6;
  return pem.substr(begin, pem.find("-----END") - begin);
}

TEST_F(ConstantTime, of_private_keys_in_pem_that_are_written_and_read) {
  for (const std::size_t size : {1, 47, 48, 49, 82, 2000}) {
    const Buffer der = some_bytes(size);
    mark_secret(Bytes(der));
    std::vector<crypto::PrivateKeyBlock> blocks;
    blocks.push_back({false, SecretBytes::copy_of(Bytes(der))});
    const SecretBytes pem = crypto::private_key_text(blocks);
    EXPECT_TRUE(is_secret(pem.reveal()));
    EXPECT_EQ(identity::kind_of(pem.reveal_text()), identity::KeyFileKind::Private);
    const auto back = crypto::read_private_key_blocks(pem.reveal_text());
    ASSERT_TRUE(back && back->size() == 1);
    const Bytes bytes = back->front().der.reveal();
    EXPECT_TRUE(is_secret(bytes));
    declare_public(bytes);
    declare_public(Bytes(der));
    EXPECT_TRUE(std::ranges::equal(bytes, der));
  }
}

TEST_F(ConstantTime, of_private_keys_in_pem_of_another_layout) {
  for (const std::string_view line_end : {"\n", "\r\n", " \t\n  "}) {
    std::string pem = "about it\n-----BEGIN PRIVATE KEY-----\n";
    for (const std::string_view line :
         {"MC4CAQAwBQYDK2VwBCIEIKO5L1e7CvLHf0yMrElybg+9", "JhmVtECdYbrZnEgp3mQr", "-----END PRIVATE KEY-----"}) {
      pem.append(line).append(line_end);
    }
    mark_secret(body_of(pem));
    EXPECT_EQ(identity::kind_of(pem), identity::KeyFileKind::Private);
    crypto::PemReader reader(pem);
    const auto block = reader.next();
    ASSERT_TRUE(block && *block);
    const auto der = crypto::decode(**block);
    ASSERT_TRUE(der);
    EXPECT_EQ(der->size(), 48U);
    EXPECT_TRUE(is_secret(der->reveal()));
  }
}

TEST_F(ConstantTime, of_a_private_key_in_pem_that_is_damaged) {
  std::string pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw?CIE\n-----END PRIVATE KEY-----\n";
  mark_secret(body_of(pem));
  crypto::PemReader reader(pem);
  const auto block = reader.next();
  ASSERT_TRUE(block && *block);
  EXPECT_FALSE(crypto::decode(**block));
}

TEST_F(ConstantTime, of_the_records_of_a_pad) {
  using namespace keysource;
  const Uuid pad_id = pad_id_from({1, 2, 3, 4, 5, 6, 7, 8});
  Buffer record = some_bytes(kRecordSize);
  mark_secret(Bytes(record));
  const auto written = MutableBytes(record);
  wire::Writer(written.subspan(kKeySize)).u64(record_check(pad_id, 9, written.first(kKeySize)));
  EXPECT_TRUE(is_secret(Bytes(record).subspan(kKeySize)));
  EXPECT_TRUE(is_intact(pad_id, 9, record));
  EXPECT_FALSE(is_intact(pad_id, 8, record));
  EXPECT_FALSE(is_erased(record));
  std::ranges::fill(record, std::uint8_t{0});
  mark_secret(Bytes(record));
  EXPECT_TRUE(is_erased(record));
}

TEST_F(ConstantTime, of_the_pieces_that_a_kme_stores_and_joins) {
  using namespace kme;
  const Piece piece = Piece::copy_of(some_bytes(kPieceSize));
  mark_secret(piece.reveal());
  std::string column;
  store::write_hex(column, piece);
  EXPECT_TRUE(is_secret(as_bytes(column)));
  const Piece back = store::take_piece(column);
  EXPECT_TRUE(constant_time_equal(back.reveal(), piece.reveal()));
  etsi014::KeyMaterial key(kPieceSize + 8);
  for (const std::size_t index : {0, 1}) store::join(key, index, back);
  EXPECT_TRUE(is_secret(key.reveal()));
  EXPECT_TRUE(constant_time_equal(key.reveal().first(kPieceSize), piece.reveal()));
}

TEST_F(ConstantTime, of_a_kmes_key_as_base64_in_a_message) {
  for (const std::size_t size : {8, 31, 32, 33, 512}) {
    const Buffer key = some_bytes(size);
    mark_secret(Bytes(key));
    const boost::json::string text = json::to_base64(key);
    etsi014::KeyMaterial back;
    EXPECT_EQ(from_base64(text, back.writable()), size);
    EXPECT_TRUE(is_secret(back.reveal().first(size)));
    EXPECT_TRUE(constant_time_equal(back.reveal().first(size), key));
  }
}

}  // namespace
}  // namespace qsp::test
