#pragma once

#include <cstddef>
#include <string>

#include "files/file.hpp"

/// Files that say whom to trust, or what to do: peers, certificates of authorities, configurations. Each is worth what
/// those who can write it are.
namespace qsp::files {

/// Fails unless nobody but this process's user and root may change the content of the open file `fd`, or put another
/// file in its place; `file` is the name that was opened. Refused: other owners, write permission for group or others,
/// and a folder in which anyone may replace files (writable by all, not sticky). A folder that a group may write to is
/// that group's affair.
OrText<void> require_trusted(int fd, const std::string& file);

/// Reads a file as read_file does, and fails where require_trusted does.
OrText<Content> read_trusted_file(const std::string& file, std::size_t max);

}  // namespace qsp::files
