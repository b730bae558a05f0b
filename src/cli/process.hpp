#pragma once

namespace qsp::cli {

/// Keeps secrets out of core dumps and other processes' reach, makes a vanished peer an error instead of a signal, and
/// allows as many descriptors as the system lets this process have. What the system refuses is left as it was.
void harden_process() noexcept;

}  // namespace qsp::cli
