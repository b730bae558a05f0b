#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace qsp::node {

/// A protocol that a node speaks.
enum class ProfileId : std::uint8_t {
  Qsp10,           ///< docs/SPEC.md
  DangerousRc155,  ///< no security at all (docs/rc155.md)
};

struct Profile {
  ProfileId id;
  std::string_view name;
  std::string_view danger;  ///< why it is insecure; empty where it is not
  bool half_close;          ///< whether an end says that its data is complete (END), so that both wait for it
};

const Profile& profile_of(ProfileId id) noexcept;
/// Nothing for a name that no profile has.
std::optional<ProfileId> profile_by_name(std::string_view name) noexcept;

}  // namespace qsp::node
