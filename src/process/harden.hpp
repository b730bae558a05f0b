#pragma once

namespace qsp::process {

/// Keeps secrets out of core dumps and other processes' reach, and makes a vanished peer an error instead of a signal.
/// What the system refuses is left as it was.
void harden() noexcept;

/// Whether this process was started to live on through that signal, or ignores it by itself.
bool is_ignored(int signal) noexcept;

}  // namespace qsp::process
