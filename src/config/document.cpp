#include "config/document.hpp"

#include <filesystem>
#include <utility>

#include "base/try.hpp"
#include "config/toml.hpp"
#include "files/trusted.hpp"

namespace qsp::config {

using files::OrText;

Document::Document(std::string file, const FileKind& kind, Members members)
    : origin_{.file = std::move(file), .page = kind.page}, members_(std::move(members)) {}

OrText<Document> Document::read(const std::string& file, const FileKind& kind) {
  QSP_TRY(const files::Content content,
          kind.trusted ? files::read_trusted_file(file, kind.most) : files::read_file(file, kind.most));
  OrText<Document> document = parse(file, content.text.reveal_text(), kind);
  if (document) document->is_private_ = content.is_private.has_value();
  return document;
}

OrText<Document> Document::parse(const std::string& file, std::string_view text, const FileKind& kind) {
  if (text.size() > kind.most) return std::unexpected(file + ": larger than " + std::to_string(kind.most) + " bytes");
  QSP_TRY(Members members, parse_toml(file, text));
  return Document(file, kind, std::move(members));
}

Table Document::root(std::string_view name) const { return {origin_, members_, Place{}, std::string(name)}; }

std::string beside(const std::string& named_in, const std::string& name) {
  return (std::filesystem::path(named_in).parent_path() / name).string();
}

}  // namespace qsp::config
