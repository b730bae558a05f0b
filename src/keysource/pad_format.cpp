#include "keysource/pad_format.hpp"

#include <algorithm>
#include <string_view>

#include "keysource/crc64.hpp"
#include "wire/cursor.hpp"

namespace qsp::keysource {
namespace {

constexpr std::string_view kPadMagic = "QSP-PAD\n";
constexpr std::string_view kJournalMagic = "QSP-USED";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint8_t kSimulatedFlag = 1;
constexpr std::size_t kChecksumSize = 8;

constexpr std::size_t kPrefixSize = 8;  ///< bytes of a key ID that name the pad
constexpr std::uint64_t kVariant = std::uint64_t{1} << 63U;
constexpr std::uint64_t kIndexMask = (std::uint64_t{1} << 62U) - 1;

/// Ends a header: zeros up to its checksum, then that.
template <std::size_t Size>
void finish(std::array<std::uint8_t, Size>& bytes) {
  const Bytes covered = Bytes(bytes).first(Size - kChecksumSize);
  wire::Writer writer(MutableBytes(bytes).last(kChecksumSize));
  writer.u64(crc64(covered));
}

bool checksum_fits(Bytes bytes) {
  wire::Reader reader(bytes.last(kChecksumSize));
  return reader.u64() == crc64(bytes.first(bytes.size() - kChecksumSize));
}

std::optional<Half> half_from(std::uint8_t value) noexcept {
  if (value > static_cast<std::uint8_t>(Half::B)) return std::nullopt;
  return static_cast<Half>(value);
}

bool keys_in_bounds(std::uint64_t keys) noexcept { return keys >= kMinPadKeys && keys <= kMaxPadKeys; }

Uuid uuid_from(Bytes bytes) noexcept {
  Uuid uuid{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), uuid.size()), uuid.begin());
  return uuid;
}

}  // namespace

std::array<std::uint8_t, kPadHeaderSize> encode(const PadHeader& header) {
  std::array<std::uint8_t, kPadHeaderSize> bytes{};
  wire::Writer writer(bytes);
  writer.bytes(as_bytes(kPadMagic));
  writer.u16(kVersion);
  writer.u8(static_cast<std::uint8_t>(header.half));
  writer.u8(header.simulated ? kSimulatedFlag : 0);
  writer.bytes(header.pad_id);
  writer.u64(header.keys);
  writer.lp8(as_bytes(header.link));
  finish(bytes);
  return bytes;
}

std::optional<PadHeader> decode_pad_header(Bytes bytes) {
  if (bytes.size() != kPadHeaderSize || !checksum_fits(bytes)) return std::nullopt;
  wire::Reader reader(bytes);
  reader.expect(as_bytes(kPadMagic));
  if (reader.u16() != kVersion) return std::nullopt;
  const std::optional<Half> half = half_from(reader.u8());
  const std::uint8_t flags = reader.u8();
  PadHeader header;
  header.pad_id = uuid_from(reader.bytes(header.pad_id.size()));
  header.keys = reader.u64();
  header.link = as_text(reader.lp8(1, kMaxLinkNameSize));
  if (!reader.ok() || !half || (flags & ~unsigned{kSimulatedFlag}) != 0 || !keys_in_bounds(header.keys))
    return std::nullopt;
  header.half = *half;
  header.simulated = flags != 0;
  return header;
}

std::array<std::uint8_t, kJournalHeaderSize> encode(const JournalHeader& header) {
  std::array<std::uint8_t, kJournalHeaderSize> bytes{};
  wire::Writer writer(bytes);
  writer.bytes(as_bytes(kJournalMagic));
  writer.u16(kVersion);
  writer.u8(static_cast<std::uint8_t>(header.half));
  writer.bytes(header.pad_id);
  writer.u64(header.keys);
  writer.u64(header.pad_file.inode);
  writer.u64(header.pad_file.birth_ns);
  finish(bytes);
  return bytes;
}

std::optional<JournalHeader> decode_journal_header(Bytes bytes) {
  if (bytes.size() != kJournalHeaderSize || !checksum_fits(bytes)) return std::nullopt;
  wire::Reader reader(bytes);
  reader.expect(as_bytes(kJournalMagic));
  if (reader.u16() != kVersion) return std::nullopt;
  const std::optional<Half> half = half_from(reader.u8());
  JournalHeader header;
  header.pad_id = uuid_from(reader.bytes(header.pad_id.size()));
  header.keys = reader.u64();
  header.pad_file = {reader.u64(), reader.u64()};
  if (!reader.ok() || !half) return std::nullopt;
  header.half = *half;
  return header;
}

Uuid pad_id_from(const std::array<std::uint8_t, 8>& random) noexcept {
  Uuid id{};
  std::copy_n(random.begin(), kPrefixSize, id.begin());
  id[6] = static_cast<std::uint8_t>(0x80U | (id[6] & 0x0fU));
  return key_id_of(id, 0);
}

Uuid key_id_of(const Uuid& pad_id, std::uint64_t index) noexcept {
  Uuid id = pad_id;
  wire::Writer writer(MutableBytes(id).subspan(kPrefixSize));
  writer.u64(kVariant | (index & kIndexMask));
  return id;
}

std::optional<std::uint64_t> index_of(const Uuid& pad_id, const Uuid& key_id) noexcept {
  wire::Reader reader(key_id);
  const Bytes prefix = reader.bytes(kPrefixSize);
  const std::uint64_t tail = reader.u64();
  if (!std::ranges::equal(prefix, Bytes(pad_id).first(kPrefixSize)) || (tail & ~kIndexMask) != kVariant)
    return std::nullopt;
  return tail & kIndexMask;
}

std::uint64_t record_check(const Uuid& pad_id, std::uint64_t index, Bytes key) noexcept {
  return crc64(key, crc64(key_id_of(pad_id, index)));
}

bool is_intact(const Uuid& pad_id, std::uint64_t index, Bytes record) noexcept {
  std::array<std::uint8_t, kRecordSize - kKeySize> check{};
  wire::Writer writer(check);
  writer.u64(record_check(pad_id, index, record.first(kKeySize)));
  return constant_time_equal(record.subspan(kKeySize), check);
}

bool is_erased(Bytes record) noexcept {
  constexpr std::array<std::uint8_t, kRecordSize> kErased{};
  return constant_time_equal(record, kErased);
}

}  // namespace qsp::keysource
