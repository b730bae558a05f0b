#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "files/descriptor.hpp"
#include "qsp/bytes.hpp"
#include "qsp/error.hpp"
#include "qsp/secret_bytes.hpp"

/// Files that hold keys: opened without races, bounded, private where they must be, never overwritten, on disk when a
/// call returns. Errors are one line of text for a person, which names the file and the remedy.
namespace qsp::files {

template <class T>
using OrText = Result<T, std::string>;

/// The mode of a file that holds a secret.
inline constexpr unsigned kOwnerOnly = 0600;
/// The mode of a file that everybody may read, and that nobody else may write even where the umask would let them.
inline constexpr unsigned kReadableByAll = 0644;
/// The mode of any other result.
inline constexpr unsigned kAsUmaskAllows = 0666;

/// The folder of a file as it is named; "." where the name has none.
std::string folder_of(const std::string& file);

/// "FILE: what: reason", the reason from errno. Call it before anything else can change errno.
std::string system_error(std::string_view file, std::string_view what);

/// What is said of a file that must be new, and is there already.
std::string name_is_taken(const std::string& file);

/// Fails unless nobody but this process's user (or root, who can read everything anyway) may read or replace the
/// content of the open file `fd`; `file` is its name for the text.
OrText<void> require_private(int fd, const std::string& file);

/// What a file holds, and whether require_private would admit it.
struct Content {
  SecretBytes text;
  OrText<void> is_private;
};

/// Reads a regular file of at most `max` bytes. Symbolic links are followed; every check is made on the open file, so a
/// name that changes meanwhile gains nothing. Content that may be secret stays in memory that is wiped.
OrText<Content> read_file(const std::string& file, std::size_t max);

/// The same for a file that must be private.
OrText<SecretBytes> read_private_file(const std::string& file, std::size_t max);

/// Makes a new file of this mode, empty and open for reading and writing. Never opens one that exists, nor follows a
/// link.
OrText<Descriptor> create_file(const std::string& file, unsigned mode);

/// Writes all of `bytes` at `offset`, whatever the kernel takes at a time.
OrText<void> write_at(int fd, const std::string& file, Bytes bytes, std::size_t offset);

/// Fills `out` from `offset`. A file that ends before is an error.
OrText<void> read_at(int fd, const std::string& file, MutableBytes out, std::size_t offset);

/// Waits until the file `fd`, and its name in its folder, are on disk.
OrText<void> sync_new_file(int fd, const std::string& file);

/// A new file with this content, on disk on return. Where a step fails, no file is left.
OrText<void> write_new_file(const std::string& file, Bytes content, unsigned mode);

}  // namespace qsp::files
