#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>

#include "cli/app.hpp"
#include "cli/client_run.hpp"
#include "cli/json.hpp"
#include "files/file.hpp"

/// What `qsp connect` says of its dials when they are over.
namespace qsp::cli {

/// Where the account of each dial goes as a line of JSON. A pipe's standard output is the peer's data, so there it is
/// standard error, unless a file is named.
class AccountLines {
 public:
  /// A file must be new.
  static std::expected<AccountLines, std::string> open(const std::string& file);
  [[nodiscard]] bool has_file() const noexcept { return static_cast<bool>(open_); }
  /// Of writing the file; empty: none.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

  void add(const boost::json::object& account, bool pipe);

 private:
  std::string file_;
  files::Descriptor open_;
  std::size_t size_ = 0;
  std::string problem_;
};

/// Tells how a dial went. Returns why it failed, if it did.
std::optional<std::string> account_for(const Context& context, const ClientRun& run, AccountLines& lines);

}  // namespace qsp::cli
