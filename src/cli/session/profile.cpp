#include "cli/session/profile.hpp"

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/text.hpp"
#include "text/escape.hpp"

namespace qsp::cli {

void add_profile_options(Command& verb, ProfileChoice& choice) {
  verb.add_option("--profile", choice.name, "protocol to speak: 1.0 or rc155")
      ->type_name("NAME")
      ->capture_default_str();
  verb.add_flag("--insecure", choice.insecure, "allow a profile that gives no security (rc155)");
}

std::expected<node::ProfileId, std::string> find_profile(std::string_view name) {
  const auto found = node::profile_by_name(name);
  if (!found) {
    return std::unexpected(
        fmt::format("there is no profile '{}' (1.0 and rc155 are known)", text::terminal_escape(name)));
  }
  return *found;
}

std::expected<node::ProfileId, std::string> choose_profile(const ProfileChoice& choice) {
  const auto profile = find_profile(choice.name);
  if (!profile) return profile;
  const std::string_view danger = node::profile_of(*profile).danger;
  if (danger.empty()) return profile;
  if (!choice.insecure) {
    return std::unexpected(fmt::format("{}. To use it all the same, for experiments, add --insecure", danger));
  }
  print_warning(danger);
  return profile;
}

}  // namespace qsp::cli
