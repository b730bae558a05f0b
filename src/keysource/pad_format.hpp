#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/uuid.hpp"
#include "qsp/bytes.hpp"
#include "qsp/secret.hpp"

/// The bytes of a pad file and of its journal (docs/pad.md). Integers are big-endian.
///
///   pad      header(128) ‖ state u8 ‖ zeros to 256 ‖ keys × record
///   record   key(32) ‖ CRC-64 of key ID(16) ‖ key
///   journal  header(72) ‖ one bit a key, lowest bit of a byte first, 1: used
namespace qsp::keysource {

/// The two ends of a pad. Each hands out new keys from its own half only, so that two ends that both do never hand out
/// one key.
enum class Half : std::uint8_t { A = 0, B = 1 };

constexpr Half other(Half half) noexcept { return half == Half::A ? Half::B : Half::A; }

/// "a" or "b".
constexpr char name(Half half) noexcept { return half == Half::A ? 'a' : 'b'; }

inline constexpr std::uint64_t kMinPadKeys = 2;
inline constexpr std::uint64_t kMaxPadKeys = 100'000'000;  ///< 4 GB a copy
inline constexpr std::size_t kMaxLinkNameSize = 64;

inline constexpr std::size_t kPadHeaderSize = 128;
inline constexpr std::size_t kPadStateOffset = kPadHeaderSize;
inline constexpr std::size_t kPadRecordsOffset = 256;
inline constexpr std::size_t kKeySize = QkdKey::kCapacity;
inline constexpr std::size_t kRecordSize = kKeySize + 8;
inline constexpr std::size_t kJournalHeaderSize = 72;

/// State of a pad: no journal was ever made for it, or one was, without which the pad must not be used.
inline constexpr std::uint8_t kFresh = 0;
inline constexpr std::uint8_t kJournalled = 1;

struct PadHeader {
  Uuid pad_id{};  ///< that of key 0; see key_id_of
  Half half = Half::A;
  bool simulated = false;
  std::uint64_t keys = 0;  ///< in all, kMinPadKeys…kMaxPadKeys
  std::string link;        ///< 1…kMaxLinkNameSize bytes
};

std::array<std::uint8_t, kPadHeaderSize> encode(const PadHeader& header);
/// Nothing for bytes that are not a header of this version, or are damaged.
std::optional<PadHeader> decode_pad_header(Bytes bytes);

/// What ties a journal to one file on one disk: a copy has another inode, or another time of birth.
struct FileBinding {
  std::uint64_t inode = 0;
  std::uint64_t birth_ns = 0;  ///< since 1970; 0 where the file system keeps none

  bool operator==(const FileBinding&) const = default;
};

struct JournalHeader {
  Uuid pad_id{};
  Half half = Half::A;
  std::uint64_t keys = 0;
  FileBinding pad_file;

  bool operator==(const JournalHeader&) const = default;
};

std::array<std::uint8_t, kJournalHeaderSize> encode(const JournalHeader& header);
std::optional<JournalHeader> decode_journal_header(Bytes bytes);

/// Keys first ≤ index < end.
struct KeyRange {
  std::uint64_t first;
  std::uint64_t end;

  [[nodiscard]] bool contains(std::uint64_t index) const noexcept { return index >= first && index < end; }
  [[nodiscard]] std::uint64_t size() const noexcept { return end - first; }
};

/// The keys that the end with this half hands out: a the first (one more of an odd number), b the others.
constexpr KeyRange range_of(Half half, std::uint64_t keys) noexcept {
  const std::uint64_t middle = (keys + 1) / 2;
  return half == Half::A ? KeyRange{0, middle} : KeyRange{middle, keys};
}

/// A pad's ID from random bytes: a version 8 UUID (RFC 9562 §5.8) whose last 62 bits count the keys, here 0.
Uuid pad_id_from(const std::array<std::uint8_t, 8>& random) noexcept;
Uuid key_id_of(const Uuid& pad_id, std::uint64_t index) noexcept;
/// The index that a key ID of this pad counts; nothing for another pad's. The index may be out of the pad's range.
std::optional<std::uint64_t> index_of(const Uuid& pad_id, const Uuid& key_id) noexcept;

constexpr std::size_t pad_size(std::uint64_t keys) noexcept {
  return kPadRecordsOffset + static_cast<std::size_t>(keys) * kRecordSize;
}
constexpr std::size_t record_offset(std::uint64_t index) noexcept { return pad_size(index); }
constexpr std::size_t journal_size(std::uint64_t keys) noexcept {
  return kJournalHeaderSize + static_cast<std::size_t>((keys + 7) / 8);
}

/// A record's check. It finds damage only: who can write the pad can read it.
std::uint64_t record_check(const Uuid& pad_id, std::uint64_t index, Bytes key) noexcept;
/// Whether a record's check is that of its key.
[[nodiscard]] bool is_intact(const Uuid& pad_id, std::uint64_t index, Bytes record) noexcept;
/// Whether a record is the zeros that its key was overwritten with.
[[nodiscard]] bool is_erased(Bytes record) noexcept;

}  // namespace qsp::keysource
