#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/export.hpp"
#include "qsp/failure.hpp"
#include "qsp/key_source.hpp"

/// QKD keys from pad files (docs/pad.md). The component "qkd". Where keys come from a KME, a program brings its own
/// KeySource.
namespace qsp::keysource {

/// A peer, and this end's copy of the pad that it shares with it.
struct PadFile {
  std::string sae_id;  ///< the peer's, 1…255 bytes
  std::string file;
};

/// Opens pads, one for each peer, and locks them: no other process draws from them while the source lives. It answers
/// inside fetch, once the disk has taken the mark that a key is used, and may be shared by threads. For each peer it
/// keeps the budget of SPEC §5.7: at most 10 fetches at once, and one more every 10 s.
/// Errors, with a remedy: Environment for a pad that is not private, in use, damaged or copied; ApiMisuse where a peer
/// has two pads.
QSP_EXPORT Result<std::unique_ptr<KeySource>, Failure> open_pads(const std::vector<PadFile>& pads);

struct NewPad {
  std::string link;        ///< a name for people, 1…64 bytes
  std::uint64_t keys = 0;  ///< 2…100,000,000, for both ends together; 40 bytes of file each
  bool simulated = false;  ///< they come from a simulated link, and are marked so
};

/// Makes both copies of a new pad with keys from `rng`. The files are private and on disk on return, or there is none.
/// Each end gets one of them, over a way that keeps it secret. Error: Environment.
QSP_EXPORT Result<void, Failure> make_pads(const NewPad& pad, const std::string& file_a, const std::string& file_b,
                                           crypto::Rng& rng);

}  // namespace qsp::keysource
