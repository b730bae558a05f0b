#include "cli/session/setting_names.hpp"

namespace qsp::cli {
namespace {

using node::Setting;

constexpr node::SettingNames kOptionNames{{
    {Setting::Profile, "--profile"},
    {Setting::Keys, "--key"},
    {Setting::PassphraseFile, "--passphrase-file"},
    {Setting::Peers, "--peers"},
    {Setting::Peer, "--peer"},
    {Setting::SaeId, "--sae-id"},
    {Setting::Qkd, "--qkd"},
    {Setting::Pads, "--pad"},
    {Setting::KmeUrls, "--kme"},
    {Setting::KmeCertificate, "--kme-cert"},
    {Setting::KmeKey, "--kme-key"},
    {Setting::KmeAuthorities, "--kme-ca"},
    {Setting::KmeRevoked, "--kme-crl"},
    {Setting::KmeName, "--kme-name"},
    {Setting::KmeTls12, "--kme-tls12"},
    {Setting::KmeUncleanEnd, "--kme-unclean-end"},
    {Setting::Kems, "--kem"},
    {Setting::Aeads, "--aead"},
    {Setting::Signatures, "--accept-signature"},
    {Setting::RekeyInterval, "--rekey-interval"},
    {Setting::RekeyTimer, "--rekey-timer"},
    {Setting::ShortTimers, "--dangerous-short-timers"},
    {Setting::QkdRekeyMax, "--qkd-rekey-max"},
    {Setting::QkdLowSupply, "--qkd-low-supply"},
    {Setting::RunCommand, "--exec"},
    {Setting::ForwardTo, "--forward"},
    {Setting::RetryFor, "--retry-for"},
    {Setting::MetricsPort, "--metrics-port"},
}};
static_assert(node::in_order(kOptionNames));

}  // namespace

std::string_view option_name(Setting setting) noexcept { return node::name_in(kOptionNames, setting); }

}  // namespace qsp::cli
