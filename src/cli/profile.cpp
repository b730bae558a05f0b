#include "cli/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/command.hpp"
#include "cli/text.hpp"
#include "rc155/session.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

constexpr std::array kProfiles{
    Profile{.name = "1.0", .danger = "", .half_close = true, .make = nullptr},
    Profile{.name = "rc155",
            .danger =
                "rc155 gives no security: whoever records the session can compute its keys from two public nonces, "
                "and both directions use the same key with the same nonces",
            .half_close = false,
            .make = rc155::dangerous_make_session},
};

std::expected<const Profile*, std::string> look_up(std::string_view name) {
  const auto* const found = std::ranges::find(kProfiles, name, &Profile::name);
  if (found == kProfiles.end()) {
    return std::unexpected(
        fmt::format("there is no profile '{}' (1.0 and rc155 are known)", text::terminal_escape(name)));
  }
  return found;
}

}  // namespace

void add_profile_options(Command& verb, ProfileChoice& choice) {
  verb.add_option("--profile", choice.name, "protocol to speak: 1.0 or rc155")
      ->type_name("NAME")
      ->capture_default_str();
  verb.add_flag("--insecure", choice.insecure, "allow a profile that gives no security (rc155)");
}

std::expected<const Profile*, std::string> find_profile(std::string_view name) {
  auto profile = look_up(name);
  if (profile && (*profile)->make == nullptr) {
    return std::unexpected(
        fmt::format("profile {} cannot be fuzzed here (rc155 can: --profile rc155)", (*profile)->name));
  }
  return profile;
}

std::expected<const Profile*, std::string> choose_profile(const ProfileChoice& choice) {
  std::expected<const Profile*, std::string> profile = look_up(choice.name);
  if (!profile || (*profile)->danger.empty()) return profile;
  if (!choice.insecure) {
    return std::unexpected(
        fmt::format("{}. To use it all the same, for experiments, add --insecure", (*profile)->danger));
  }
  print_warning((*profile)->danger);
  return profile;
}

}  // namespace qsp::cli
