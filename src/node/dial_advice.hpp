#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/foreign.hpp"
#include "node/profile.hpp"
#include "node/setting.hpp"
#include "qsp/endpoint.hpp"

/// Why a dial failed, in one line that ends with what its user can do.
namespace qsp::node {

/// A dial that brought no session.
struct HandshakeEnd {
  std::string target;      ///< for people
  const Profile* profile;  ///< not null
  Closed closed;
  bool server_is_full = false;
  std::optional<net::Foreign> foreign{};  ///< what answered instead of QSP
  std::string stranger{};  ///< an identity that was presented and is not the one dialled, with what to do; empty: none
  bool cut_off = false;    ///< the connection ended by itself
  bool heard_anything = false;
  bool out_of_time = false;       ///< of DialConfig::retry_for
  std::string before{};           ///< why the dials before it failed; empty where there were none
  std::string transport{};        ///< why the connection ended; may be empty
  NameSetting name = field_name;  ///< what its user calls the settings
};

std::string explain_handshake(const HandshakeEnd& end);

/// Why a handshake with `target` ended for a spent budget of QKD fetches (SPEC §5.7), or where the peer may mean that
/// it has no room; and how long to wait. Precondition: is_spent_budget(handshake).
std::string explain_spent_budget(std::string_view target, const Closed& handshake);

/// What to do about a session that was established, and that this end gave up.
std::string_view session_advice(Reason reason) noexcept;

}  // namespace qsp::node
