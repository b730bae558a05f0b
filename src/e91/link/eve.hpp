#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "e91/link/light.hpp"
#include "files/file.hpp"

/// Attacks on the link. They are physics too: whatever they do to S, to the error rates and to the rates follows.
namespace qsp::e91::link {

/// What kind of attack it is.
enum class Attack : std::uint8_t { None, Intercept, Probe, SeparableSource, WernerSource, Blinding };

/// Whether a number says how much of it there is: a fraction, a strength or a visibility.
[[nodiscard]] constexpr bool has_amount(Attack attack) noexcept {
  return attack == Attack::Intercept || attack == Attack::Probe || attack == Attack::WernerSource;
}

/// Somebody between the source and the stations. She knows which settings the stations may use, never the one in force:
/// what she does to the light is the same for all of them.
class Eve {
 public:
  virtual ~Eve() = default;
  [[nodiscard]] virtual Attack kind() const noexcept = 0;
  /// In the words that `parse_eve` takes.
  [[nodiscard]] virtual std::string name() const = 0;
  /// What the detectors do once she had her hands on the light.
  [[nodiscard]] virtual ClickTables attack(const Light& light, const Stations& stations) const = 0;
};

/// Where an attack takes place.
enum class Arms : std::uint8_t { Alice, Bob, Both };

/// Nobody.
std::unique_ptr<Eve> no_eve();

/// Intercept-resend: she measures all photons of a fraction of the pulses at a Bloch angle, in radians, and sends on
/// what she saw. On both arms: of the same fraction for each, drawn for each arm on its own. `name` is told by `name()`
/// only, here and below.
std::unique_ptr<Eve> intercept_resend(double fraction, double angle, Arms arms, std::string name);

/// She lets every photon interact with a probe of her own that learns its bit at a Bloch angle, in radians. Strength 0
/// learns nothing and 1 everything; the states of the probe overlap by 1 − strength.
std::unique_ptr<Eve> entangling_probe(double strength, double angle, Arms arms, std::string name);

/// She puts a source of single pairs in a separable state in place of the source, of as many pairs on average (or one
/// for each slot).
std::unique_ptr<Eve> separable_source();

/// The same with pairs in a Werner state of this visibility.
std::unique_ptr<Eve> werner_source(double visibility, std::string name);

/// Detector blinding with faked states (Gerhardt and others, arXiv:1106.2754). Bright light makes the detectors click
/// only when she says so: in a slot that she picks, for each side one setting and one bit, drawn as an honest pair with
/// a perfect singlet would give them for these settings. A side clicks if its setting is the one that she picked.
///
/// S is −2√2, no error shows, nothing signals, and she knows every bit: the stations see rates that fall by the number
/// of pairs of settings, and nothing else. Nothing in this program detects it; only detectors that watch for bright
/// light do.
std::unique_ptr<Eve> blinding();

/// From text: "none", "intercept:FRACTION[,angle=DEGREES][,arm=alice|bob|both]", "probe:STRENGTH[,angle=…][,arm=…]",
/// "source:separable", "source:werner=VISIBILITY" or "blinding". Angles are Bloch angles in degrees, 0 where not told;
/// the arm is Bob's. The error says what is wrong and what would be right.
files::OrText<std::unique_ptr<Eve>> parse_eve(std::string_view text);

}  // namespace qsp::e91::link
