#include "keysource/pad.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "files/file.hpp"
#include "qsp/bytes.hpp"

namespace qsp::keysource {
namespace {

using files::OrText;

constexpr std::size_t kChunkSize = 65'536;

OrText<FileBinding> binding_of(int fd, const std::string& file) {
  struct statx info{};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &info) != 0) {
    return std::unexpected(files::system_error(file, "cannot look at it"));
  }
  FileBinding binding{.inode = info.stx_ino};
  if ((info.stx_mask & STATX_BTIME) != 0) {
    binding.birth_ns = static_cast<std::uint64_t>(info.stx_btime.tv_sec) * 1'000'000'000U + info.stx_btime.tv_nsec;
  }
  return binding;
}

/// Opens a private, regular file with one name and no symbolic link: beside another name there would be another
/// journal.
OrText<files::Descriptor> open_private(const std::string& file, int mode) {
  files::Descriptor fd(::open(file.c_str(), mode | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!fd && errno == ELOOP) return std::unexpected(file + ": a symbolic link; give the name of the file itself");
  if (!fd) return std::unexpected(files::system_error(file, "cannot open"));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return std::unexpected(files::system_error(file, "cannot look at it"));
  if (!S_ISREG(info.st_mode)) return std::unexpected(file + ": not a regular file; give the name of one");
  if (info.st_nlink > 1) return std::unexpected(file + ": has more than one name (hard links); remove the others");
  QSP_TRY(files::require_private(fd.get(), file));
  return fd;
}

OrText<std::size_t> size_of(int fd, const std::string& file) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return std::unexpected(files::system_error(file, "cannot look at it"));
  return static_cast<std::size_t>(info.st_size);
}

struct PadStart {
  PadHeader header;
  std::uint8_t state;
};

OrText<PadStart> read_pad_start(int fd, const std::string& file) {
  QSP_TRY(const std::size_t size, size_of(fd, file));
  std::array<std::uint8_t, kPadHeaderSize + 1> start{};
  if (size < kPadRecordsOffset) return std::unexpected(file + ": not a pad; make one with: qsp pad create");
  QSP_TRY(files::read_at(fd, file, start, 0));
  std::optional<PadHeader> header = decode_pad_header(Bytes(start).first(kPadHeaderSize));
  const std::uint8_t state = start[kPadStateOffset];
  if (!header || state > kJournalled) {
    return std::unexpected(file + ": not a pad, or damaged; make a new pair with: qsp pad create");
  }
  if (size != pad_size(header->keys)) {
    return std::unexpected(file + ": damaged, " + std::to_string(size) + " bytes instead of " +
                           std::to_string(pad_size(header->keys)) +
                           "; copy it again if it was never used, or make a new pair");
  }
  return PadStart{std::move(*header), state};
}

OrText<JournalHeader> read_journal_header(int fd, const std::string& file, const PadHeader& pad) {
  const std::string damaged =
      file + ": damaged, so nobody knows which keys are used; make a new pair with: qsp pad create";
  QSP_TRY(const std::size_t size, size_of(fd, file));
  if (size != journal_size(pad.keys)) return std::unexpected(damaged);
  std::array<std::uint8_t, kJournalHeaderSize> bytes{};
  QSP_TRY(files::read_at(fd, file, bytes, 0));
  const std::optional<JournalHeader> header = decode_journal_header(bytes);
  if (!header) return std::unexpected(damaged);
  if (header->pad_id != pad.pad_id || header->half != pad.half || header->keys != pad.keys) {
    return std::unexpected(file + ": belongs to another pad; make a new pair with: qsp pad create");
  }
  return *header;
}

struct Used {
  std::uint64_t own = 0;
  std::uint64_t peer = 0;
  std::uint64_t first_unused_own = 0;
};

/// Reads the whole bitmap, a chunk at a time.
OrText<Used> count_bits(int fd, const std::string& file, const PadHeader& pad) {
  const KeyRange own = range_of(pad.half, pad.keys);
  Used used{.first_unused_own = own.end};
  std::vector<std::uint8_t> chunk(kChunkSize);
  for (std::uint64_t index = 0; index < pad.keys;) {
    const std::uint64_t count = std::min<std::uint64_t>(kChunkSize * 8, pad.keys - index);
    const MutableBytes bytes = MutableBytes(chunk).first(static_cast<std::size_t>((count + 7) / 8));
    const std::size_t offset = kJournalHeaderSize + static_cast<std::size_t>(index / 8);
    QSP_TRY(files::read_at(fd, file, bytes, offset));
    for (std::uint64_t bit = 0; bit < count; ++bit, ++index) {
      const bool is_used = (bytes[static_cast<std::size_t>(bit / 8)] >> (bit % 8) & 1U) != 0;
      if (is_used) {
        ++(own.contains(index) ? used.own : used.peer);
      } else if (own.contains(index)) {
        used.first_unused_own = std::min(used.first_unused_own, index);
      }
    }
  }
  return used;
}

PadStatus status_of(const PadHeader& pad, std::uint64_t own_used, std::uint64_t peer_used) {
  const std::uint64_t own = range_of(pad.half, pad.keys).size();
  const std::uint64_t peer = range_of(other(pad.half), pad.keys).size();
  return {pad.link, pad.pad_id, pad.half, pad.simulated, {own_used, own - own_used}, {peer_used, peer - peer_used}};
}

/// A name in the kernel that one process at a time can hold, and that vanishes with it: a socket address without a
/// file.
OrText<files::Descriptor> claim(const PadHeader& pad, const std::string& file) {
  const std::string name = "qsp-pad-" + uuid_text(pad.pad_id) + '-' + keysource::name(pad.half);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(name, address.sun_path + 1);  // a zero byte first: Linux's abstract namespace, unix(7)
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  files::Descriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(files::system_error(file, "cannot claim the pad"));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  if (errno == EADDRINUSE) {
    return std::unexpected(
        file + ": another copy of this end's pad is in use on this machine; one end has one copy: delete the other");
  }
  return std::unexpected(files::system_error(file, "cannot claim the pad"));
}

}  // namespace

std::string journal_of(const std::string& pad_file) { return pad_file + ".used"; }

OrText<Pad> Pad::open(const std::string& file) {
  Pad pad;
  pad.file_ = file;
  QSP_TRY(pad.open_pad());
  QSP_TRY(pad.open_journal());
  QSP_TRY(pad.count_used());
  return pad;
}

Pad::~Pad() {
  // The overwritten keys should not wait for the kernel longer than they must.
  if (pad_) ::fdatasync(pad_.get());
}

OrText<void> Pad::open_pad() {
  QSP_TRY(files::Descriptor fd, open_private(file_, O_RDWR));
  pad_ = std::move(fd);
  if (::flock(pad_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(files::system_error(file_, "cannot lock"));
    return std::unexpected(file_ + ": in use by another process; stop that, or make a pad for each");
  }
  QSP_TRY(PadStart start, read_pad_start(pad_.get(), file_));
  header_ = std::move(start.header);
  state_ = start.state;
  QSP_TRY(files::Descriptor claimed, claim(header_, file_));
  claim_ = std::move(claimed);
  return {};
}

OrText<void> Pad::open_journal() {
  const std::string name = journal_of(file_);
  QSP_TRY(const FileBinding binding, binding_of(pad_.get(), file_));
  const JournalHeader expected{header_.pad_id, header_.half, header_.keys, binding};

  if (::access(name.c_str(), F_OK) != 0 && errno == ENOENT) {
    if (state_ != kFresh) {
      return std::unexpected(name +
                             ": missing, so nobody knows which keys are used; make a new pair with: qsp pad create");
    }
    QSP_TRY(make_journal(expected));
  }
  QSP_TRY(files::Descriptor fd, open_private(name, O_RDWR));
  journal_ = std::move(fd);
  QSP_TRY(const JournalHeader found, read_journal_header(journal_.get(), name, header_));
  if (found != expected) {
    return std::unexpected(
        file_ +
        ": a copy or a backup of a pad that is in use, so its keys may be used already; go on with the "
        "original, or make a new pair with: qsp pad create");
  }
  if (state_ == kJournalled) return {};
  // From here on the pad cannot be used without its journal; before, nothing was drawn.
  QSP_TRY(files::write_at(pad_.get(), file_, Bytes(&kJournalled, 1), kPadStateOffset));
  if (::fdatasync(pad_.get()) != 0) return std::unexpected(files::system_error(file_, "cannot write to disk"));
  state_ = kJournalled;
  return {};
}

OrText<void> Pad::make_journal(const JournalHeader& header) {
  // Under a name of its own until it is whole and on disk: a crash leaves either no journal or all of it. A stale one
  // cannot be in use: this process holds the pad's lock.
  const std::string unfinished = journal_of(file_) + ".new";
  ::unlink(unfinished.c_str());
  std::vector<std::uint8_t> content(journal_size(header.keys));
  std::ranges::copy(encode(header), content.begin());
  QSP_TRY(files::write_new_file(unfinished, content, files::kOwnerOnly));
  if (::rename(unfinished.c_str(), journal_of(file_).c_str()) != 0) {
    return std::unexpected(files::system_error(unfinished, "cannot rename"));
  }
  const files::Descriptor fd(::open(journal_of(file_).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return std::unexpected(files::system_error(journal_of(file_), "cannot open"));
  return files::sync_new_file(fd.get(), journal_of(file_));
}

OrText<void> Pad::count_used() {
  QSP_TRY(const Used used, count_bits(journal_.get(), journal_of(file_), header_));
  own_used_ = used.own;
  peer_used_ = used.peer;
  next_ = used.first_unused_own;
  return {};
}

OrText<bool> Pad::is_used(std::uint64_t index) const {
  std::array<std::uint8_t, 1> byte{};
  const std::size_t offset = kJournalHeaderSize + static_cast<std::size_t>(index / 8);
  QSP_TRY(files::read_at(journal_.get(), journal_of(file_), byte, offset));
  return (byte[0] >> (index % 8) & 1U) != 0;
}

OrText<void> Pad::mark_used(std::uint64_t index) {
  std::array<std::uint8_t, 1> byte{};
  const std::string name = journal_of(file_);
  const std::size_t offset = kJournalHeaderSize + static_cast<std::size_t>(index / 8);
  QSP_TRY(files::read_at(journal_.get(), name, byte, offset));
  byte[0] = static_cast<std::uint8_t>(byte[0] | 1U << (index % 8));
  QSP_TRY(files::write_at(journal_.get(), name, byte, offset));
  if (::fdatasync(journal_.get()) != 0) return std::unexpected(files::system_error(name, "cannot write to disk"));
  ++(range_of(header_.half, header_.keys).contains(index) ? own_used_ : peer_used_);
  return {};
}

std::unexpected<std::string> Pad::refuse_for_good(std::string why) {
  broken_ = std::move(why);
  return std::unexpected(broken_);
}

/// Precondition: the journal has `index` as unused.
OrText<QkdKey> Pad::spend(std::uint64_t index) {
  constexpr std::array<std::uint8_t, kRecordSize> kErased{};
  Secret<kRecordSize, struct RecordTag> record;
  QSP_TRY(files::read_at(pad_.get(), file_, record.writable(), record_offset(index)));
  if (is_erased(record.reveal())) {
    return refuse_for_good(file_ + ": a key that was used is unused in " + journal_of(file_) +
                           ", which is therefore older than the pad; make a new pair with: qsp pad create");
  }
  // A failed write leaves unknown what is on disk, and a retry could seem to work: so it is the end of this object.
  if (OrText<void> marked = mark_used(index); !marked) return refuse_for_good(std::move(marked.error()));
  if (OrText<void> erased = files::write_at(pad_.get(), file_, kErased, record_offset(index)); !erased) {
    return refuse_for_good(std::move(erased.error()));
  }
  if (!is_intact(header_.pad_id, index, record.reveal()))
    return std::unexpected(file_ + ": key " + std::to_string(index) + " is damaged; it is skipped from now on");
  return QkdKey::copy_of(record.reveal().first(kKeySize));
}

OrText<DeliveredKey> Pad::take_next() {
  if (!broken_.empty()) return std::unexpected(broken_);
  const KeyRange own = range_of(header_.half, header_.keys);
  for (; next_ < own.end; ++next_) {
    const OrText<bool> used = is_used(next_);
    if (!used) return refuse_for_good(used.error());
    if (*used) continue;
    const std::uint64_t index = next_++;
    QSP_TRY(QkdKey key, spend(index));
    return DeliveredKey{uuid_text(key_id_of(header_.pad_id, index)), std::move(key)};
  }
  return std::unexpected(file_ + ": no key is left in half " + keysource::name(header_.half) +
                         "; make a new pair with: qsp pad create");
}

OrText<QkdKey> Pad::take(const Uuid& key_id) {
  if (!broken_.empty()) return std::unexpected(broken_);
  const std::optional<std::uint64_t> index = index_of(header_.pad_id, key_id);
  if (!index || *index >= header_.keys) return std::unexpected(file_ + ": holds no key " + uuid_text(key_id));
  if (range_of(header_.half, header_.keys).contains(*index)) {
    return std::unexpected(file_ + ": key " + uuid_text(key_id) +
                           " is of this end's own half; the other end uses a copy of this file instead of its own");
  }
  const OrText<bool> used = is_used(*index);
  if (!used) return refuse_for_good(used.error());
  if (*used) return std::unexpected(file_ + ": key " + uuid_text(key_id) + " is used already");
  return spend(*index);
}

PadStatus Pad::status() const { return status_of(header_, own_used_, peer_used_); }

OrText<PadStatus> pad_status(const std::string& file) {
  QSP_TRY(const files::Descriptor pad, open_private(file, O_RDONLY));
  QSP_TRY(const PadStart start, read_pad_start(pad.get(), file));
  const std::string name = journal_of(file);
  if (start.state == kFresh && ::access(name.c_str(), F_OK) != 0) return status_of(start.header, 0, 0);
  QSP_TRY(const files::Descriptor journal, open_private(name, O_RDONLY));
  QSP_TRY(read_journal_header(journal.get(), name, start.header));
  QSP_TRY(const Used used, count_bits(journal.get(), name, start.header));
  return status_of(start.header, used.own, used.peer);
}

}  // namespace qsp::keysource
