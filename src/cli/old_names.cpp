#include "cli/old_names.hpp"

#include <algorithm>
#include <array>

namespace qsp::cli {
namespace {

constexpr std::array kOldNames{
    OldName{"qsp kme check", "--cert", "--kme-cert", ""},
    OldName{"qsp kme check", "--key", "--kme-key", ""},
    OldName{"qsp kme check", "--ca", "--kme-ca", ""},
    OldName{"qsp kme check", "--server-name", "--kme-name", ""},
    OldName{"qsp kme check", "--slave-server-name", "--slave-kme-name", ""},
    OldName{"qsp kme check", "--tls12", "--kme-tls12", ""},
    OldName{"qsp kme load", "--cert", "--kme-cert", ""},
    OldName{"qsp kme load", "--key", "--kme-key", ""},
    OldName{"qsp kme load", "--ca", "--kme-ca", ""},
    OldName{"qsp kme load", "--server-name", "--kme-name", ""},
    OldName{"qsp kme load", "--slave-server-name", "--slave-kme-name", ""},
    OldName{"qsp kme load", "--tls12", "--kme-tls12", ""},
    OldName{"qsp kme import", "--cert", "--kme-cert", ""},
    OldName{"qsp kme import", "--key", "--kme-key", ""},
    OldName{"qsp kme import", "--ca", "--kme-ca", ""},
    OldName{"qsp kme import", "--server-name", "--kme-name", ""},
    OldName{"qsp kme inject", "--latency-ms", "--latency", "ms"},
    OldName{"qsp kme inject", "--clock-offset-ms", "--clock-offset", "ms"},
    OldName{"qsp serve", "--qkd-rekey-floor", "--qkd-rekey-max", ""},
    OldName{"qsp connect", "--qkd-rekey-floor", "--qkd-rekey-max", ""},
    // The processes of a link have a configuration each, and it consists of their options.
    OldName{"qsp e91 link", "--config", "--options", "", true},
    OldName{"qsp e91 alice", "--config", "--options", "", true},
    OldName{"qsp e91 bob", "--config", "--options", "", true},
    OldName{"qsp e91 feed", "--config", "--options", "", true},
    OldName{"", "--config", "--options", ""},
};

}  // namespace

const OldName* find_old_name(std::string_view verb, std::string_view option) {
  const auto* const found = std::ranges::find_if(
      kOldNames, [&](const OldName& name) { return name.old == option && (name.verb.empty() || name.verb == verb); });
  return found == kOldNames.end() ? nullptr : found;
}

}  // namespace qsp::cli
