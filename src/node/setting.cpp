#include "node/setting.hpp"

namespace qsp::node {
namespace {

constexpr SettingNames kFieldNames{{
    {Setting::Profile, "profile"},
    {Setting::Keys, "keys"},
    {Setting::PassphraseFile, "passphrase_file"},
    {Setting::Peers, "peers"},
    {Setting::Peer, "peer"},
    {Setting::SaeId, "sae_id"},
    {Setting::Qkd, "qkd"},
    {Setting::Pads, "pads"},
    {Setting::KmeUrls, "kme.urls"},
    {Setting::KmeCertificate, "kme.certificate"},
    {Setting::KmeKey, "kme.key"},
    {Setting::KmeAuthorities, "kme.authorities"},
    {Setting::KmeRevoked, "kme.revoked"},
    {Setting::KmeName, "kme.name"},
    {Setting::KmeTls12, "kme.tls12"},
    {Setting::KmeUncleanEnd, "kme.unclean_end"},
    {Setting::Kems, "kems"},
    {Setting::Aeads, "aeads"},
    {Setting::Signatures, "signatures"},
    {Setting::RekeyInterval, "rekey_interval"},
    {Setting::RekeyTimer, "rekey_timer"},
    {Setting::ShortTimers, "dangerous_short_timers"},
    {Setting::QkdRekeyMax, "qkd_rekey_max"},
    {Setting::QkdLowSupply, "qkd_low_supply"},
    {Setting::RunCommand, "RunCommand"},
    {Setting::ForwardTo, "ForwardTo"},
    {Setting::RetryFor, "retry_for"},
    {Setting::MetricsPort, "metrics_port"},
}};
static_assert(in_order(kFieldNames));

}  // namespace

std::string_view field_name(Setting setting) noexcept { return name_in(kFieldNames, setting); }

}  // namespace qsp::node
