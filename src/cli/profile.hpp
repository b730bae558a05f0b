#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::cli {

class Command;

/// A protocol that qsp speaks.
struct Profile {
  std::string_view name;
  std::string_view danger;  ///< why it is insecure; empty where it is not
  bool half_close;          ///< whether an end says that its data is complete (END), so that both wait for it
  /// Makes an end that needs no configuration; null where there is no such thing.
  Result<std::unique_ptr<Endpoint>> (*make)(Role role, crypto::Provider& provider);
};

/// The options that choose a profile.
struct ProfileChoice {
  std::string name = "1.0";
  bool insecure = false;
};

/// Adds --profile and --insecure to a verb.
void add_profile_options(Command& verb, ProfileChoice& choice);

/// The profile of that name to fuzz here, with no question about its security. The error is one line: a
/// usage error.
std::expected<const Profile*, std::string> find_profile(std::string_view name);

/// The profile to talk to a peer with. An insecure one is refused without --insecure and warned of on stderr with it.
/// The error is one line: a usage error.
std::expected<const Profile*, std::string> choose_profile(const ProfileChoice& choice);

}  // namespace qsp::cli
