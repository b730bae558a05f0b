#include "net/echo.hpp"

namespace qsp::net {

void EchoConnection::handle_data(const AppData& data) {
  // A failure closes the session, and its end is reported from there.
  if (!send(data.data, data.end)) return;
  frames_ += 2;
  if (rekey_after_ != 0 && frames_ >= rekey_after_ && !rekeying_) rekeying_ = request_rekey().has_value();
}

void EchoConnection::handle_epoch(std::uint32_t) {
  frames_ = 0;
  rekeying_ = false;
}

}  // namespace qsp::net
