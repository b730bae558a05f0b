#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/foreign.hpp"
#include "node/profile.hpp"
#include "qsp/endpoint.hpp"

/// Why `qsp connect` failed, in one line that ends with what its user can do.
namespace qsp::cli {

/// A dial that brought no session.
struct HandshakeEnd {
  std::string target;            ///< for people
  const node::Profile* profile;  ///< not null
  Closed closed;
  bool server_is_full = false;
  std::optional<net::Foreign> foreign{};  ///< what answered instead of QSP
  std::string stranger{};  ///< an identity that was presented and is not the one dialled, with what to do; empty: none
  bool cut_off = false;    ///< the connection ended by itself
  bool heard_anything = false;
  bool out_of_time = false;  ///< of --retry-for
  std::string before{};      ///< why the dials before it failed; empty where there were none
  std::string transport{};   ///< why the connection ended; may be empty
};

std::string explain_handshake(const HandshakeEnd& end);

/// What to do about a session that was established, and that this end gave up.
std::string_view session_advice(Reason reason) noexcept;

}  // namespace qsp::cli
