#include "node/profile.hpp"

#include <algorithm>
#include <array>

namespace qsp::node {
namespace {

constexpr std::array kProfiles{
    Profile{.id = ProfileId::Qsp10, .name = "1.0", .danger = "", .half_close = true},
    Profile{.id = ProfileId::DangerousRc155,
            .name = "rc155",
            .danger =
                "rc155 gives no security: whoever records the session can compute its keys from two public nonces, "
                "and both directions use the same key with the same nonces",
            .half_close = false},
};

}  // namespace

const Profile& profile_of(ProfileId id) noexcept { return id == ProfileId::Qsp10 ? kProfiles[0] : kProfiles[1]; }

std::optional<ProfileId> profile_by_name(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(kProfiles, name, &Profile::name);
  if (found == kProfiles.end()) return std::nullopt;
  return found->id;
}

}  // namespace qsp::node
