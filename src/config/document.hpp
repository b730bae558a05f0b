#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/table.hpp"
#include "config/value.hpp"
#include "files/file.hpp"

namespace qsp::config {

/// What holds for a kind of file.
struct FileKind {
  std::size_t most;  ///< bytes
  /// Whether it says whom to trust or what to do, so that only its owner may be able to change it
  /// (files::require_trusted).
  bool trusted = true;
  std::string_view page = {};  ///< where its fields are described, for errors; it outlives the file's tables
};

/// A TOML file that was read and parsed, and not understood yet: its tables do that.
class Document {
 public:
  /// Reads a file. Errors: those of files::read_file or files::read_trusted_file, and of parse_toml.
  static files::OrText<Document> read(const std::string& file, const FileKind& kind);
  /// The same from a text; `file` names it in errors, and files that it names are relative to its folder.
  static files::OrText<Document> parse(const std::string& file, std::string_view text, const FileKind& kind);

  /// Its root, as errors call it. It lives as long as this object, and is to be asked where that stands for good.
  [[nodiscard]] Table root(std::string_view name) const;
  /// What the root holds, for a file whose names are not known beforehand.
  [[nodiscard]] const Members& members() const noexcept { return members_; }
  [[nodiscard]] const std::string& file() const noexcept { return origin_.file; }
  /// Whether nobody else may read the file (files::require_private). Of a text: no.
  [[nodiscard]] bool is_private() const noexcept { return is_private_; }

 private:
  Document(std::string file, const FileKind& kind, Members members);

  Origin origin_;
  Members members_;
  bool is_private_ = false;
};

/// A file that the file `named_in` names: relative to its folder, as everything in a configuration is.
[[nodiscard]] std::string beside(const std::string& named_in, const std::string& name);

}  // namespace qsp::config
