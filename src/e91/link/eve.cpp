#include "e91/link/eve.hpp"

#include <algorithm>
#include <numbers>

namespace qsp::e91::link {

namespace {

class Nobody final : public Eve {
 public:
  [[nodiscard]] Attack kind() const noexcept override { return Attack::None; }
  [[nodiscard]] std::string name() const override { return "none"; }
  [[nodiscard]] ClickTables attack(const Light& light, const Stations& stations) const override {
    return measure(light, stations);
  }
};

/// Does something to the photons on their way.
class OnArms final : public Eve {
 public:
  OnArms(Attack kind, Channel channel, Arms arms, std::string name)
      : kind_(kind), channel_(std::move(channel)), arms_(arms), name_(std::move(name)) {}
  [[nodiscard]] Attack kind() const noexcept override { return kind_; }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] ClickTables attack(const Light& light, const Stations& stations) const override {
    Light touched = light;
    if (arms_ != Arms::Bob) touched.alice = light.alice.then(channel_);
    if (arms_ != Arms::Alice) touched.bob = light.bob.then(channel_);
    return measure(touched, stations);
  }

 private:
  Attack kind_;
  Channel channel_;
  Arms arms_;
  std::string name_;
};

class ReplacedSource final : public Eve {
 public:
  ReplacedSource(Attack kind, State state, std::string name)
      : kind_(kind), state_(std::move(state)), name_(std::move(name)) {}
  [[nodiscard]] Attack kind() const noexcept override { return kind_; }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] ClickTables attack(const Light& light, const Stations& stations) const override {
    Light hers = light;
    hers.statistics = PairStatistics::Single;
    hers.mean_pairs = std::min(light.mean_pairs, 1.0);
    hers.pair = state_;
    hers.source = {};
    return measure(hers, stations);
  }

 private:
  Attack kind_;
  State state_;
  std::string name_;
};

/// How likely an honest link clicks on both sides, over all pairs of settings.
double coincidences(const ClickTables& tables) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < tables.alice; ++i) {
    for (std::size_t j = 0; j < tables.bob; ++j) {
      for (std::size_t k = 0; k < kPatterns; ++k) {
        if ((k & 3) != 0 && k >> 2 != 0) sum += tables.patterns.at(i).at(j)[k];
      }
    }
  }
  return sum / static_cast<double>(tables.alice * tables.bob);
}

class Blinding final : public Eve {
 public:
  [[nodiscard]] Attack kind() const noexcept override { return Attack::Blinding; }
  [[nodiscard]] std::string name() const override { return "blinding"; }
  [[nodiscard]] ClickTables attack(const Light& light, const Stations& stations) const override {
    ClickTables tables = measure(light, stations);
    // As many faked pairs as an honest link would have had coincidences, each for settings that are all as likely: then
    // how often a station clicks does not depend on its setting.
    const double pairs = coincidences(tables);
    const double alice = 1 / static_cast<double>(tables.alice);
    const double bob = 1 / static_cast<double>(tables.bob);
    const State singlet = State::singlet();
    for (std::size_t i = 0; i < tables.alice; ++i) {
      for (std::size_t j = 0; j < tables.bob; ++j) {
        Patterns& patterns = tables.patterns.at(i).at(j);
        patterns.fill(0);
        patterns[0] = 1 - pairs + pairs * (1 - alice) * (1 - bob);
        for (std::size_t outcome = 0; outcome < 4; ++outcome) {
          const std::size_t alice_bit = outcome & 1;
          const std::size_t bob_bit = outcome >> 1;
          const double joint = pairs * singlet.probability(stations.alice.angles[i], alice_bit == 1,
                                                           stations.bob.angles[j], bob_bit == 1);
          patterns[(alice_bit + 1) + 4 * (bob_bit + 1)] += joint * alice * bob;
          patterns[alice_bit + 1] += joint * alice * (1 - bob);
          patterns[4 * (bob_bit + 1)] += joint * (1 - alice) * bob;
        }
      }
    }
    return tables;
  }
};

}  // namespace

std::unique_ptr<Eve> no_eve() { return std::make_unique<Nobody>(); }

std::unique_ptr<Eve> intercept_resend(double fraction, double angle, Arms arms, std::string name) {
  return std::make_unique<OnArms>(Attack::Intercept, Channel::measured(in_plane(angle)).for_fraction(fraction), arms,
                                  std::move(name));
}

std::unique_ptr<Eve> entangling_probe(double strength, double angle, Arms arms, std::string name) {
  return std::make_unique<OnArms>(Attack::Probe, Channel::dephasing(in_plane(angle), 1 - strength), arms,
                                  std::move(name));
}

std::unique_ptr<Eve> separable_source() {
  return std::make_unique<ReplacedSource>(Attack::SeparableSource, State::separable(), "source:separable");
}

std::unique_ptr<Eve> werner_source(double visibility, std::string name) {
  return std::make_unique<ReplacedSource>(Attack::WernerSource, State::werner(visibility), std::move(name));
}

std::unique_ptr<Eve> blinding() { return std::make_unique<Blinding>(); }

}  // namespace qsp::e91::link
