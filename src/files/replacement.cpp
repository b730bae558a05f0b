#include "files/replacement.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <thread>

#include "base/big_endian.hpp"
#include "base/hex.hpp"
#include "base/try.hpp"

namespace qsp::files {
namespace {

constexpr int kMostLinks = 40;  // as the kernel has it
constexpr int kMostTries = 100;
constexpr mode_t kPermissions = 0777;

/// Whether a name is one of the kernel's own links, such as those of /dev/stdout: what it names is already open.
bool in_proc(const std::string& file) {
  struct statfs info{};
  return ::statfs(folder_of(file).c_str(), &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

/// Where the links of a name end, which may be a file that does not exist; empty for a link of /proc.
OrText<std::string> followed(const std::string& file) {
  std::filesystem::path path(file);
  for (int links = 0; links < kMostLinks; ++links) {
    std::error_code failed;
    if (!std::filesystem::is_symlink(path, failed)) return path.string();
    if (in_proc(path.string())) return std::string();
    const std::filesystem::path target = std::filesystem::read_symlink(path, failed);
    if (failed) return std::unexpected(file + ": cannot follow the link: " + failed.message());
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return std::unexpected(file + ": leads through too many links; give the name of the file itself");
}

std::string unused_name(const std::string& file) {
  std::array<std::uint8_t, 8> number{};
  if (::getrandom(number.data(), number.size(), 0) != static_cast<ssize_t>(number.size())) {
    number = big_endian<8>(static_cast<std::uint64_t>(::getpid()));
  }
  return folder_of(file) + "/.qsp-" + to_hex(number);
}

std::string own_name(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

std::optional<FileId> id_of(int failed, const struct stat& info) {
  if (failed != 0) return std::nullopt;
  return FileId{.device = info.st_dev, .inode = info.st_ino};
}

/// A FIFO is waited for a while: its reader may be on its way, or never come.
Descriptor open_for_writing(const std::string& file) {
  constexpr int kTries = 100;
  constexpr std::chrono::milliseconds kPause{20};
  for (int tries = 1;; ++tries) {
    Descriptor opened(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (opened || errno != ENXIO || tries == kTries) return opened;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

std::optional<FileId> file_id(const std::string& file) {
  struct stat info{};
  return id_of(::stat(file.c_str(), &info), info);
}

std::optional<FileId> file_id(int fd) {
  struct stat info{};
  return id_of(::fstat(fd, &info), info);
}

std::optional<std::string> would_replace(const std::string& output, const std::vector<InputFile>& inputs) {
  const auto id = file_id(output);
  // What is no regular file keeps nothing that could be lost, and may well be read and written at once (a terminal).
  std::error_code failed;
  if (!id || !std::filesystem::is_regular_file(output, failed)) return std::nullopt;
  for (const InputFile& input : inputs) {
    if (!input.file.empty() && file_id(input.file) == id) return input.what;
  }
  if (file_id(STDIN_FILENO) == id) return "the input";
  return std::nullopt;
}

OrText<Replacement> Replacement::begin(const std::string& file, unsigned mode) {
  Replacement made;
  QSP_TRY(std::string target, followed(file));
  const bool opened_already = target.empty();
  made.file_ = opened_already ? file : std::move(target);
  // Opened for writing, and left as it is: who may not write a file must not replace it either.
  Descriptor old = open_for_writing(made.file_);
  if (!old && errno == ENXIO) return std::unexpected(file + ": is a FIFO or device that nobody has open for reading");
  if (!old && errno != ENOENT) return std::unexpected(system_error(file, "cannot open"));
  if (old) {
    struct stat info{};
    if (::fstat(old.get(), &info) != 0) return std::unexpected(system_error(file, "cannot look at it"));
    made.in_place_ = opened_already || !S_ISREG(info.st_mode);
    if (made.in_place_) {
      if (S_ISREG(info.st_mode) && ::ftruncate(old.get(), 0) != 0) {
        return std::unexpected(system_error(file, "cannot be emptied"));
      }
      ::fcntl(old.get(), F_SETFL, 0);  // from here on a reader that is slow is waited for
      made.fd_ = std::move(old);
      return made;
    }
    made.mode_ = info.st_mode & kPermissions;
    made.owner_ = {info.st_uid, info.st_gid};
  }
  QSP_TRY(made.open_beside(mode));
  return made;
}

OrText<Replacement> Replacement::begin_new(const std::string& file, unsigned mode) {
  Replacement made;
  made.file_ = file;
  made.new_ = true;
  struct stat info{};
  if (::lstat(file.c_str(), &info) == 0) return std::unexpected(name_is_taken(file));
  QSP_TRY(made.open_beside(mode));
  return made;
}

/// Without a name where the file system can do that, so that nothing is left whatever ends this process.
OrText<void> Replacement::open_beside(unsigned mode) {
  const std::string folder = folder_of(file_);
  const unsigned first = mode_ ? 0600U : mode;
  fd_ = Descriptor(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, first));
  if (fd_ && ::access(own_name(fd_.get()).c_str(), F_OK) == 0) return {};
  for (int tries = 0; tries < kMostTries; ++tries) {
    temporary_ = unused_name(file_);
    fd_ = Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, first));
    if (fd_) return {};
    if (errno != EEXIST) break;
  }
  temporary_.clear();
  return std::unexpected(
      system_error(file_, "cannot be written (it is made beside its name first, in " + folder + ")"));
}

/// rename(2) takes a name for a name, so a file without one gets one for a moment.
OrText<void> Replacement::name_it() {
  for (int tries = 0; tries < kMostTries; ++tries) {
    std::string name = unused_name(file_);
    if (::linkat(AT_FDCWD, own_name(fd_.get()).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temporary_ = std::move(name);
      return {};
    }
    if (errno != EEXIST) break;
  }
  return std::unexpected(system_error(file_, "cannot be put in place"));
}

OrText<void> Replacement::write(Bytes content) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd_.get(), content.data(), content.size());
    if (put < 0 && errno != EINTR) return std::unexpected(system_error(file_, "cannot be written"));
    if (put > 0) content = content.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

OrText<void> Replacement::commit() {
  if (!fd_) return {};
  if (in_place_) {
    // A device or pipe has nothing to sync, and says so.
    if (::fsync(fd_.get()) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) {
      return std::unexpected(system_error(file_, "cannot write to disk"));
    }
    fd_ = Descriptor();
    return {};
  }
  if (mode_) {
    // Only root may give a file away. A user who replaces somebody else's file owns it afterwards.
    const bool foreign = owner_ != std::pair(::geteuid(), ::getegid());
    if (foreign && ::fchown(fd_.get(), owner_.first, owner_.second) != 0 && errno != EPERM) {
      return std::unexpected(system_error(file_, "cannot pass its owner on"));
    }
    if (::fchmod(fd_.get(), *mode_) != 0) return std::unexpected(system_error(file_, "cannot set its permissions"));
  }
  if (temporary_.empty()) {
    QSP_TRY(name_it());
  }
  if (::fsync(fd_.get()) != 0) return std::unexpected(system_error(file_, "cannot write to disk"));
  QSP_TRY(put_in_place());
  temporary_.clear();
  OrText<void> synced = sync_new_file(fd_.get(), file_);
  fd_ = Descriptor();
  return synced;
}

/// rename(2) would take the place of a file that has come meanwhile. Not every file system knows how not to.
OrText<void> Replacement::put_in_place() {
  int put = 0;
  if (!new_) {
    put = ::rename(temporary_.c_str(), file_.c_str());
  } else {
    put = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, file_.c_str(), RENAME_NOREPLACE);
    if (put != 0 && errno == EINVAL) {
      put = ::link(temporary_.c_str(), file_.c_str());
      if (put == 0) ::unlink(temporary_.c_str());
    }
  }
  if (put == 0) return {};
  if (new_ && errno == EEXIST) return std::unexpected(name_is_taken(file_));
  return std::unexpected(system_error(file_, "cannot be put in place"));
}

void Replacement::discard() noexcept {
  fd_ = Descriptor();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

Replacement::Replacement(Replacement&& other) noexcept
    : fd_(std::move(other.fd_)),
      file_(std::move(other.file_)),
      temporary_(std::exchange(other.temporary_, {})),
      mode_(other.mode_),
      owner_(other.owner_),
      in_place_(other.in_place_),
      new_(other.new_) {}

OrText<void> replace_file(const std::string& file, Bytes content, unsigned mode) {
  QSP_TRY(Replacement made, Replacement::begin(file, mode));
  QSP_TRY(made.write(content));
  return made.commit();
}

}  // namespace qsp::files
