#pragma once

#include <cstdint>
#include <string_view>

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
  MetricsPort,
};

/// What messages call a setting. A program that takes its settings from options or a file has words of its own for
/// them, which its user knows.
using NameSetting = std::string_view (*)(Setting) noexcept;

/// The fields of EndConfig, NodeConfig and DialConfig.
std::string_view field_name(Setting setting) noexcept;

}  // namespace qsp::node
