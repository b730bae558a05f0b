#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "files/file.hpp"

namespace qsp::files {

/// Which file a name stands for, whatever other names it has.
struct FileId {
  dev_t device;
  ino_t inode;
  bool operator==(const FileId&) const = default;
};

/// Of the file that a name leads to, or that a descriptor has open; nothing where there is none.
std::optional<FileId> file_id(const std::string& file);
std::optional<FileId> file_id(int fd);

/// A file that a run reads, and what it is to it ("this end's private key").
struct InputFile {
  std::string what;
  std::string file;
};

/// What of it writing to `output` would replace: one of `inputs`, by whatever name, or what standard input comes from;
/// nothing where it would not. Inputs without a name are left out.
std::optional<std::string> would_replace(const std::string& output, const std::vector<InputFile>& inputs);

/// A file that takes its name, and the place of what had it, only once it is whole. Until then, and after a failure,
/// the old one stays as it was, and what was written so far is gone.
///
/// A symbolic link is followed: the file that it leads to is replaced, the link stays. What is not a regular file, such
/// as /dev/null or a FIFO, is written in place.
class Replacement {
 public:
  /// `mode`: of a file that is new; one that is replaced passes its own on. Error: the file cannot be written, or not
  /// be replaced.
  static OrText<Replacement> begin(const std::string& file, unsigned mode);
  /// The same of a file that must be new: commit() takes the place of nothing. Links are not followed. Error: it cannot
  /// be written, or its name is taken.
  static OrText<Replacement> begin_new(const std::string& file, unsigned mode);
  Replacement(Replacement&& other) noexcept;
  Replacement& operator=(Replacement&&) = delete;
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  ~Replacement() { discard(); }

  /// Where the new content goes, from its beginning on.
  [[nodiscard]] int get() const noexcept { return fd_.get(); }
  /// Whether commit() puts it in the place of its name; false: it is a device or pipe, and written already.
  [[nodiscard]] bool replaces() const noexcept { return !in_place_; }
  /// Writes all of `content` behind what was written before.
  OrText<void> write(Bytes content);
  /// Puts the file in place, on disk on return. Error: the old one is as it was.
  OrText<void> commit();
  /// Removes what was written. Does nothing after commit().
  void discard() noexcept;

 private:
  Replacement() = default;
  OrText<void> open_beside(unsigned mode);
  OrText<void> name_it();
  OrText<void> put_in_place();

  Descriptor fd_;
  std::string file_;                 ///< links followed; for the texts of errors too
  std::string temporary_;            ///< name of what is written; empty: it has none, or is the file itself
  std::optional<mode_t> mode_;       ///< of the file that is replaced
  std::pair<uid_t, gid_t> owner_{};  ///< likewise
  bool in_place_ = false;
  bool new_ = false;  ///< no file is replaced
};

/// Writes all of `content` to a file that replaces `file`. `mode`: see Replacement::begin.
OrText<void> replace_file(const std::string& file, Bytes content, unsigned mode);

}  // namespace qsp::files
