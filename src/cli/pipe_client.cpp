#include "cli/pipe_client.hpp"

#include <unistd.h>

#include <utility>

#include "cli/epoch_text.hpp"

namespace qsp::cli {

void PipeClient::handle_established() {
  report_.established = true;
  log_established(endpoint());
  const auto attached = attach(net::PipeEnds(net::PipeEnds::Kind::Standard, STDIN_FILENO, STDOUT_FILENO));
  if (!attached) give_up(Reason::InternalError, attached.error());
}

void PipeClient::handle_epoch(std::uint32_t) { log_epochs_over(endpoint(), false); }

void PipeClient::connection_closed(net::Connection&, const Closed& closed, const net::error_code& transport) {
  report_.closed = closed;
  if (transport) report_.transport = transport.message();
  report_.traffic = traffic();
  if (ChannelStatus status = endpoint().status(); status.secure) report_.status = std::move(status);
  if (report_.established) log_epochs_over(endpoint(), true);
  report_.may_redial_without_qkd = endpoint().may_redial_without_qkd();
}

void PipeClient::connection_finished(net::Connection&) {
  if (finished_callback_) finished_callback_();
}

}  // namespace qsp::cli
