#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "node/profile.hpp"

namespace qsp::cli {

class Command;

/// The options that choose a profile.
struct ProfileChoice {
  std::string name = "1.0";
  bool insecure = false;
};

/// Adds --profile and --insecure to a verb.
void add_profile_options(Command& verb, ProfileChoice& choice);

/// The profile of that name, with no question about its security. The error is one line: a usage error.
std::expected<node::ProfileId, std::string> find_profile(std::string_view name);

/// The profile to talk to a peer with. An insecure one is refused without --insecure and warned of on stderr with it.
/// The error is one line: a usage error.
std::expected<node::ProfileId, std::string> choose_profile(const ProfileChoice& choice);

}  // namespace qsp::cli
