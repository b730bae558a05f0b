#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/uuid.hpp"
#include "files/file.hpp"
#include "keysource/pad_format.hpp"
#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"
#include "qsp/secret.hpp"

/// Pads: files of one-time keys in two equal copies, one for each end of a link (docs/pad.md).
namespace qsp::keysource {

/// Used and unused keys of one half.
struct HalfStatus {
  std::uint64_t used = 0;
  std::uint64_t left = 0;
};

struct PadStatus {
  std::string link;
  Uuid pad_id{};
  Half half = Half::A;  ///< this end's
  bool simulated = false;
  HalfStatus own;   ///< for enc_keys
  HalfStatus peer;  ///< for dec_keys
};

/// One end's copy of a pad, open for drawing keys and locked: no other process, and no other copy of the same end on
/// this machine, can draw from it meanwhile. Memory does not grow with the pad. Not thread-safe.
///
/// No key is returned twice, whatever kills the process and whenever: a key is marked as used in the journal, on disk,
/// before it leaves, and its bytes in the pad are overwritten then. A failure to write makes the object refuse for
/// good.
class Pad {
 public:
  /// Opens FILE, and FILE.used beside it, which the first use makes. Errors, each with its remedy: not private, in use,
  /// damaged, a copy of a pad in use, its journal lost or rolled back.
  static files::OrText<Pad> open(const std::string& file);

  Pad(Pad&&) = default;
  Pad& operator=(Pad&&) = default;
  Pad(const Pad&) = delete;
  Pad& operator=(const Pad&) = delete;
  ~Pad();

  /// enc_keys: the next unused key of this end's half.
  files::OrText<DeliveredKey> take_next();

  /// dec_keys: a key of the other end's half, once. One read, one write and no search, whatever the ID.
  files::OrText<QkdKey> take(const Uuid& key_id);

  [[nodiscard]] PadStatus status() const;
  [[nodiscard]] const std::string& file() const noexcept { return file_; }

 private:
  Pad() = default;

  files::OrText<void> open_pad();
  files::OrText<void> open_journal();
  files::OrText<void> make_journal(const JournalHeader& header);
  files::OrText<void> count_used();
  files::OrText<bool> is_used(std::uint64_t index) const;
  files::OrText<QkdKey> spend(std::uint64_t index);
  files::OrText<void> mark_used(std::uint64_t index);
  std::unexpected<std::string> refuse_for_good(std::string why);

  std::string file_;
  PadHeader header_;
  std::uint8_t state_ = kFresh;
  files::Descriptor pad_;
  files::Descriptor journal_;
  files::Descriptor claim_;  ///< keeps other copies of this end on this machine out
  std::uint64_t next_ = 0;   ///< no unused key of the own half is before it
  std::uint64_t own_used_ = 0;
  std::uint64_t peer_used_ = 0;
  std::string broken_;  ///< why nothing is returned any more
};

/// The journal of a pad: FILE.used.
std::string journal_of(const std::string& pad_file);

/// What pad and journal say, without a lock and without changing anything; a process may be drawing meanwhile.
files::OrText<PadStatus> pad_status(const std::string& file);

struct PadSpec {
  std::string link;        ///< 1…kMaxLinkNameSize bytes, for people
  std::uint64_t keys = 0;  ///< kMinPadKeys…kMaxPadKeys, for both ends together
  bool simulated = false;  ///< the keys come from a simulated link
};

/// Makes both copies of a new pad with keys from `rng`: private files, on disk on return, or none. `progress`, where
/// given, hears now and then how many keys are written.
files::OrText<void> create_pads(const PadSpec& spec, const std::string& file_a, const std::string& file_b,
                                crypto::Rng& rng, const std::function<void(std::uint64_t)>& progress = {});

}  // namespace qsp::keysource
