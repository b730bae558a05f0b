#include "files/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <system_error>

#include "base/try.hpp"
#include "files/trusted.hpp"
#include "files/unfinished.hpp"
#include "qsp/secret.hpp"

namespace qsp::files {
namespace {

constexpr mode_t kOthersMask = S_IRWXG | S_IRWXO;
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

std::string too_big(const std::string& file, std::size_t max) {
  return file + ": larger than " + std::to_string(max) + " bytes, so it cannot be what it should be; check the name";
}

bool owned_by_others(const struct stat& info) { return info.st_uid != ::geteuid() && info.st_uid != 0; }

OrText<void> sync(int fd, const std::string& file) {
  if (::fsync(fd) != 0) return std::unexpected(system_error(file, "cannot write to disk"));
  return {};
}

struct Opened {
  Descriptor fd;
  std::size_t size;
};

OrText<Opened> open_to_read(const std::string& file, std::size_t max) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer. It changes nothing for regular files.
  Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return std::unexpected(system_error(file, "cannot open"));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return std::unexpected(system_error(file, "cannot look at it"));
  if (!S_ISREG(info.st_mode)) return std::unexpected(file + ": not a regular file; give the name of one");
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > max) return std::unexpected(too_big(file, max));
  return Opened{std::move(fd), size};
}

OrText<Content> read_open(const Opened& opened, const std::string& file) {
  // One byte more than the file has shows whether it grows under our eyes.
  SecretBytes text(opened.size + 1);
  std::size_t used = 0;
  while (used < text.size()) {
    const ssize_t got = ::read(opened.fd.get(), text.writable().data() + used, text.size() - used);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(system_error(file, "cannot read"));
    used += static_cast<std::size_t>(got);
  }
  text.resize(std::min(used, opened.size));
  if (used != opened.size) return std::unexpected(file + ": changed while it was read; try again");
  return Content{std::move(text), require_private(opened.fd.get(), file)};
}

}  // namespace

std::string folder_of(const std::string& file) {
  std::string folder = std::filesystem::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string system_error(std::string_view file, std::string_view what) {
  return std::string(file).append(": ").append(what).append(": ").append(std::generic_category().message(errno));
}

std::string name_is_taken(const std::string& file) {
  return file + ": exists, and is never overwritten; move it away or choose another name";
}

OrText<void> require_private(int fd, const std::string& file) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return std::unexpected(system_error(file, "cannot look at it"));
  if (owned_by_others(info)) {
    return std::unexpected(file + ": belongs to another user, who could change it; copy it to a file of your own");
  }
  if ((info.st_mode & kOthersMask) != 0) {
    return std::unexpected(file + ": others than its owner have access to this secret; run: chmod 600 " + file);
  }
  return {};
}

OrText<void> require_trusted(int fd, const std::string& file) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return std::unexpected(system_error(file, "cannot look at it"));
  if (owned_by_others(info)) {
    return std::unexpected(file + ": belongs to another user, who could change it, and it says whom to trust; run: " +
                           "chown " + std::to_string(::geteuid()) + " " + file + ", or copy it to a file of your own");
  }
  if ((info.st_mode & kOthersWrite) != 0) {
    return std::unexpected(file + ": others than its owner may change it, and it says whom to trust; run: chmod go-w " +
                           file);
  }
  const std::string folder = folder_of(file);
  if (::stat(folder.c_str(), &info) != 0) return std::unexpected(system_error(folder, "cannot look at it"));
  if ((info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0) {
    return std::unexpected(
        file + ": anyone may replace files in its folder, and it says whom to trust; run: chmod o-w " + folder);
  }
  return {};
}

OrText<Content> read_file(const std::string& file, std::size_t max) {
  QSP_TRY(const Opened opened, open_to_read(file, max));
  return read_open(opened, file);
}

OrText<Content> read_trusted_file(const std::string& file, std::size_t max) {
  QSP_TRY(const Opened opened, open_to_read(file, max));
  QSP_TRY(require_trusted(opened.fd.get(), file));
  return read_open(opened, file);
}

OrText<SecretBytes> read_private_file(const std::string& file, std::size_t max) {
  QSP_TRY(Content content, read_file(file, max));
  if (!content.is_private) return std::unexpected(std::move(content.is_private.error()));
  return std::move(content.text);
}

OrText<Descriptor> create_file(const std::string& file, unsigned mode) {
  const NoSignals quiet;
  Descriptor fd(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (fd) {
    quiet.note(file, false);
    return fd;
  }
  if (errno == EEXIST) return std::unexpected(name_is_taken(file));
  return std::unexpected(system_error(file, "cannot create"));
}

OrText<void> write_at(int fd, const std::string& file, Bytes bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return std::unexpected(system_error(file, "cannot write"));
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::size_t>(put);
  }
  return {};
}

OrText<void> read_at(int fd, const std::string& file, MutableBytes out, std::size_t offset) {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(system_error(file, "cannot read"));
    if (got == 0) return std::unexpected(file + ": ends too early; it is damaged");
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::size_t>(got);
  }
  return {};
}

OrText<void> sync_new_file(int fd, const std::string& file) {
  QSP_TRY(sync(fd, file));
  const std::string folder = folder_of(file);
  const Descriptor folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_fd) return std::unexpected(system_error(folder, "cannot open the folder"));
  return sync(folder_fd.get(), folder);
}

OrText<void> write_new_file(const std::string& file, Bytes content, unsigned mode) {
  QSP_TRY(const Descriptor fd, create_file(file, mode));
  OrText<void> done = write_at(fd.get(), file, content, 0);
  if (done) done = sync_new_file(fd.get(), file);
  if (!done) ::unlink(file.c_str());
  return done;
}

}  // namespace qsp::files
