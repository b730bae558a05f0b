#pragma once

#include <memory>
#include <string>

#include "e91/link/eve.hpp"
#include "files/file.hpp"

namespace qsp::e91::station {

/// The attack on the link: the one of the command line, until a file names another. The file holds one line that
/// `parse_eve` takes. It is read before each block, so writing it attacks a running link.
class EveChoice {
 public:
  /// `file` may be empty. Error: `text` names no attack.
  static files::OrText<EveChoice> make(const std::string& text, const std::string& file);

  /// A new attacker where it changed, else null. A file that cannot be read, or names no attack, changes nothing; that
  /// is logged once.
  std::unique_ptr<link::Eve> changed();

  /// The first one.
  [[nodiscard]] std::unique_ptr<link::Eve> first() const;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  EveChoice(std::string text, std::string file) : default_(std::move(text)), file_(std::move(file)) {}

  std::string default_;  ///< where there is no file
  std::string file_;
  std::string name_;
  std::string problem_;
};

}  // namespace qsp::e91::station
