#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace qsp::node {

/// A setting of a configuration that messages speak of.
enum class Setting : std::uint8_t {
  Profile,
  Keys,
  PassphraseFile,
  Peers,
  Peer,
  SaeId,
  Qkd,
  Pads,
  KmeUrls,
  KmeCertificate,
  KmeKey,
  KmeAuthorities,
  KmeRevoked,
  KmeName,
  KmeTls12,
  KmeUncleanEnd,
  Kems,
  Aeads,
  Signatures,
  RekeyInterval,
  RekeyTimer,
  ShortTimers,
  QkdRekeyMax,
  QkdLowSupply,
  RunCommand,
  ForwardTo,
  RetryFor,
  MetricsPort,  ///< the last one, which SettingNames counts
};

/// What each setting is called, in the order of Setting.
using SettingNames =
    std::array<std::pair<Setting, std::string_view>, static_cast<std::size_t>(Setting::MetricsPort) + 1>;

/// Whether each setting stands in its place, and has a name.
consteval bool in_order(const SettingNames& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].first != static_cast<Setting>(i) || names[i].second.empty()) return false;
  }
  return true;
}

constexpr std::string_view name_in(const SettingNames& names, Setting setting) noexcept {
  const auto at = static_cast<std::size_t>(setting);
  return at < names.size() ? names[at].second : std::string_view();
}

/// What messages call a setting. A program that takes its settings from options or a file has words of its own for
/// them, which its user knows.
using NameSetting = std::string_view (*)(Setting) noexcept;

/// The fields of EndConfig, NodeConfig and DialConfig.
std::string_view field_name(Setting setting) noexcept;

}  // namespace qsp::node
