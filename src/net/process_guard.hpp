#pragma once

namespace qsp::net {

/// What the guard is told, one number each: a group that has begun, its negative once it is gone, or kNoGrace, after
/// which what is left is killed at once.
inline constexpr int kNoGrace = 0;

/// The life of the guard of ProcessGroups, in a process of its own: it listens until the other end of `socket` is gone,
/// however that came about, and ends the groups that are left. Returns when none is.
void guard_groups(int socket);

}  // namespace qsp::net
