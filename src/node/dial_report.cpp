#include "node/dial_report.hpp"

#include "node/redial.hpp"

namespace qsp::node {

bool DialReport::server_is_full() const noexcept {
  return connected && closed && closed->by_peer && closed->reason == Reason::Limit && !established && !asked_for_key;
}

bool DialReport::budget_is_spent() const noexcept {
  return connected && closed && !established && is_spent_budget(*closed) && !server_is_full();
}

}  // namespace qsp::node
