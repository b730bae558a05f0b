#pragma once

#include <expected>
#include <string>

namespace qsp::cli {

class Command;

/// The cryptographic library of the whole program: --provider, or else QSP_PROVIDER of the environment.
class ProviderChoice {
 public:
  /// Gives the program its option. This lives until parse() has returned.
  void add_to(Command& app);

  /// Makes it the one that every provider of this program is made of from now on. Error, a usage error: what was wrong,
  /// and what may be given instead.
  std::expected<void, std::string> apply() const;

 private:
  std::string given_;
};

}  // namespace qsp::cli
