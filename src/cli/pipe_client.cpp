#include "cli/pipe_client.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cli/epoch_text.hpp"

namespace qsp::cli {

void PipeClient::handle_established() {
  report_.established = true;
  tell_epoch();
  const auto attached = attach(net::PipeEnds(net::PipeEnds::Kind::Standard, STDIN_FILENO, STDOUT_FILENO));
  if (!attached) give_up(Reason::InternalError, attached.error());
}

void PipeClient::tell_epoch() {
  const auto* const channel = dynamic_cast<const Channel*>(&endpoint());
  if (channel == nullptr) return;
  const ChannelStatus status = channel->status();
  spdlog::info("{}", status.previous ? describe(*status.previous) : describe(status));
  if (status.without_qkd) spdlog::warn("{}", without_qkd_warning(status));
}

void PipeClient::connection_closed(net::Connection&, const Closed& closed, const net::error_code& transport) {
  report_.closed = closed;
  if (transport) report_.transport = transport.message();
  report_.traffic = traffic();
  if (const auto* const channel = dynamic_cast<const Channel*>(&endpoint()); channel != nullptr) {
    report_.status = channel->status();
    if (report_.established) spdlog::info("{}", describe(report_.status->current));
    report_.may_redial_without_qkd = channel->may_redial_without_qkd();
  }
}

void PipeClient::connection_finished(net::Connection&) {
  if (finished_callback_) finished_callback_();
}

}  // namespace qsp::cli
