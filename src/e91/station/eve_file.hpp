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

  /// The new attacker where it changed, else null; it lives until the next call. A file that cannot be read, or names
  /// no attack, changes nothing; that is logged once.
  const link::Eve* changed();

  /// The one at work; before the first block, that of the command line.
  [[nodiscard]] const link::Eve& current() const noexcept { return *current_; }

 private:
  EveChoice(std::shared_ptr<const link::Eve> eve, std::string file)
      : default_(std::move(eve)), current_(default_), file_(std::move(file)) {}

  std::shared_ptr<const link::Eve> default_;  ///< where there is no file
  std::shared_ptr<const link::Eve> current_;
  std::string file_;
  std::string problem_;
};

}  // namespace qsp::e91::station
