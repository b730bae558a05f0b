#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <optional>
#include <string>

#include "cli/app.hpp"
#include "files/file.hpp"
#include "files/replacement.hpp"
#include "node/dial_explain.hpp"

/// What `qsp connect` says of its dials when they are over.
namespace qsp::cli {

/// Where the account of each dial goes as a line of JSON. A pipe's standard output is the peer's data, so there it is
/// standard error, unless a file is named.
class AccountLines {
 public:
  /// A file must be new. It has its name once it is whole: see commit().
  static std::expected<AccountLines, std::string> open(const std::string& file);
  [[nodiscard]] bool has_file() const noexcept { return file_.has_value(); }

  void add(const boost::json::object& account, bool pipe);
  /// No dial follows: the file is there from now on. Error: it could not be written, and is not there. Does nothing
  /// where there is no file.
  files::OrText<void> commit();
  /// It will not be there. Does nothing after commit().
  void discard() noexcept {
    if (file_) file_->discard();
  }

 private:
  std::optional<files::Replacement> file_;
  files::OrText<void> written_;
};

/// Tells how a dial went that failed for this reason, if it did.
void account_for(const Context& context, const node::DialReport& report, const node::Dialled& dialled,
                 const std::optional<std::string>& failure, AccountLines& lines);

}  // namespace qsp::cli
