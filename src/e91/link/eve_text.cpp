#include <array>
#include <charconv>
#include <numbers>
#include <optional>

#include "base/try.hpp"
#include "e91/link/eve.hpp"

namespace qsp::e91::link {

namespace {

constexpr std::string_view kForms =
    "none, intercept:FRACTION[,angle=DEGREES][,arm=alice|bob|both], "
    "probe:STRENGTH[,angle=DEGREES][,arm=alice|bob|both], "
    "source:separable, source:werner=VISIBILITY or blinding";

std::unexpected<std::string> wrong(std::string_view text, std::string_view what) {
  constexpr std::size_t kShown = 60;
  return std::unexpected("eve \"" + std::string(text.substr(0, kShown)) + "\": " + std::string(what));
}

/// A number in [least, most] that is all of `text`.
std::optional<double> number(std::string_view text, double least, double most) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= least && value <= most)) return {};
  return value;
}

/// What follows the name of an attack on the arms.
struct OnArmsText {
  double amount = 0;
  double angle = 0;
  Arms arms = Arms::Bob;
};

files::OrText<OnArmsText> parse_on_arms(std::string_view whole, std::string_view amount_name, std::string_view rest) {
  OnArmsText result;
  const std::size_t comma = rest.find(',');
  const auto amount = number(rest.substr(0, comma), 0, 1);
  if (!amount) return wrong(whole, std::string(amount_name) + " after the colon is a number from 0 to 1");
  result.amount = *amount;
  while (rest.find(',') != std::string_view::npos) {
    rest.remove_prefix(rest.find(',') + 1);
    const std::string_view option = rest.substr(0, rest.find(','));
    if (option.starts_with("angle=")) {
      const auto degrees = number(option.substr(6), -360, 360);
      if (!degrees) return wrong(whole, "angle is a Bloch angle in degrees, from -360 to 360");
      result.angle = *degrees * std::numbers::pi / 180;
    } else if (option == "arm=alice") {
      result.arms = Arms::Alice;
    } else if (option == "arm=both") {
      result.arms = Arms::Both;
    } else if (option != "arm=bob") {
      return wrong(whole, "the options are angle=DEGREES and arm=alice, arm=bob or arm=both");
    }
  }
  return result;
}

}  // namespace

files::OrText<std::unique_ptr<Eve>> parse_eve(std::string_view text) {
  constexpr std::string_view kIntercept = "intercept:";
  constexpr std::string_view kProbe = "probe:";
  constexpr std::string_view kWerner = "source:werner=";
  if (text == "none") return no_eve();
  if (text == "blinding") return blinding();
  if (text == "source:separable") return separable_source();
  if (text.starts_with(kWerner)) {
    const auto visibility = number(text.substr(kWerner.size()), 0, 1);
    if (!visibility) return wrong(text, "the visibility is a number from 0 to 1");
    return werner_source(*visibility, std::string(text));
  }
  if (text.starts_with(kIntercept)) {
    QSP_TRY(const auto parsed, parse_on_arms(text, "the fraction", text.substr(kIntercept.size())));
    return intercept_resend(parsed.amount, parsed.angle, parsed.arms, std::string(text));
  }
  if (text.starts_with(kProbe)) {
    QSP_TRY(const auto parsed, parse_on_arms(text, "the strength", text.substr(kProbe.size())));
    return entangling_probe(parsed.amount, parsed.angle, parsed.arms, std::string(text));
  }
  return wrong(text, "is one of " + std::string(kForms));
}

}  // namespace qsp::e91::link
