#include "cli/pipe_client.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cli/epoch_text.hpp"

namespace qsp::cli {

void PipeClient::handle_established() {
  report_.established = true;
  if (const auto* const channel = dynamic_cast<const Channel*>(&endpoint()); channel != nullptr) {
    spdlog::info("{}", describe(channel->status()));
  }
  const auto attached = attach(net::PipeEnds(net::PipeEnds::Kind::Standard, STDIN_FILENO, STDOUT_FILENO));
  if (!attached) give_up(Reason::InternalError, attached.error());
}

void PipeClient::handle_epoch(std::uint32_t) {
  if (const auto* const channel = dynamic_cast<const Channel*>(&endpoint()); channel != nullptr) {
    if (const ChannelStatus status = channel->status(); status.previous) spdlog::info("{}", describe(*status.previous));
  }
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
