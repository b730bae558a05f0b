#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "e91/post/transcript.hpp"
#include "e91/study/result.hpp"
#include "e91/study/setup.hpp"
#include "files/replacement.hpp"

/// A run of blocks over a simulated link, what it came to, and the files that it leaves behind.
namespace qsp::e91::study {

struct Run {
  std::vector<BlockResult> blocks;
  Total total;
};

/// The files that a run is asked for; empty: none.
struct RunFilesWanted {
  std::string transcript;              ///< all that was said in public
  std::string report;                  ///< a page of HTML
  std::string plot;                    ///< a folder for the charts
  std::vector<std::string> published;  ///< link files whose published key rates are drawn too
};

class RunFiles {
 public:
  /// Begins them, so that what cannot be written is found before the work and not after it. Errors: text.
  static files::OrText<RunFiles> begin(RunFilesWanted wanted, const post::PostConfig& config);

  /// Hears what the stations say. This object stays where it is from then on.
  [[nodiscard]] post::Listener listener();
  /// Whether all that was heard could be written.
  [[nodiscard]] const files::OrText<void>& heard() const noexcept { return heard_; }
  [[nodiscard]] bool has_pictures() const noexcept { return !wanted_.report.empty() || !wanted_.plot.empty(); }
  /// Draws the charts, and the report with them; `command` is what made it. Samples of their own, from `random`.
  /// Errors: text.
  files::OrText<void> draw(Randomness& random, const LinkOptions& options, const Setup& setup, const Run& run,
                           const std::string& command);
  /// The transcript has all that there is to it, and takes the place of what had its name.
  files::OrText<void> finish_transcript();

 private:
  explicit RunFiles(RunFilesWanted wanted) : wanted_(std::move(wanted)) {}

  RunFilesWanted wanted_;
  std::optional<files::Replacement> transcript_;
  std::optional<files::Replacement> report_;
  files::OrText<void> heard_;
};

/// Told before each block, with what came of those before it. False: play no more.
using RunProgress = std::function<bool(std::uint64_t block, const Total& before)>;

/// Errors: of the simulation, or of the transcript; text.
files::OrText<Run> play(local::LocalLink& link, std::uint64_t blocks, const RunFiles& files,
                        const RunProgress& progress);

boost::json::object json_of(const Setup& setup, const Run& run, bool seeded);
std::string text_of(const Setup& setup, const Run& run, bool seeded);

}  // namespace qsp::e91::study
