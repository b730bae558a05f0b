#include "node/dial_account.hpp"

#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>

#include "node/session_text.hpp"
#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::node {
namespace {

double seconds_of(const DialReport& report) { return std::chrono::duration<double>(report.elapsed).count(); }

double megabytes_per_second(const DialReport& report) {
  const double seconds = seconds_of(report);
  return seconds > 0 ? static_cast<double>(report.echo.compared_bytes) / seconds / 1e6 : 0;
}

std::uint32_t rekeys_of(const DialReport& report) { return report.epoch > 0 ? report.epoch - 1 : 0; }

boost::json::object echo_account(const DialReport& report, bool ok) {
  return {{"ok", ok},
          {"sent_bytes", report.traffic.sent_bytes},
          {"sent_frames", report.traffic.sent_frames},
          {"received_bytes", report.traffic.received_bytes},
          {"compared_bytes", report.echo.compared_bytes},
          {"missing_bytes", report.echo.missing_bytes},
          {"final_epoch", report.epoch},
          {"rekeys", rekeys_of(report)},
          {"elapsed_sec", seconds_of(report)},
          {"mb_per_sec", megabytes_per_second(report)},
          {"closed", report.closed ? name(report.closed->reason) : ""},
          {"closed_by_peer", report.closed && report.closed->by_peer},
          {"truncated", report.closed && report.closed->truncated}};
}

boost::json::object pipe_account(const DialReport& report, bool ok) {
  boost::json::object account{{"ok", ok},
                              {"sent_bytes", report.traffic.sent_bytes},
                              {"received_bytes", report.traffic.received_bytes},
                              {"closed", report.closed ? name(report.closed->reason) : ""},
                              {"closed_by_peer", report.closed && report.closed->by_peer},
                              {"truncated", report.closed && report.closed->truncated}};
  if (report.established && report.status) {
    account["peer"] = report.status->peer;
    account["qkd_mixed"] = report.status->qkd_mixed;
    account["without_qkd"] = report.status->without_qkd;
    account["final_epoch"] = report.status->current.epoch;
  }
  return account;
}

}  // namespace

boost::json::object account_of(const DialReport& report, const Dialled& dialled,
                               const std::optional<std::string>& failure) {
  boost::json::object account = dialled.check_echo ? echo_account(report, !failure) : pipe_account(report, !failure);
  account["error"] = failure ? boost::json::value(*failure) : boost::json::value(nullptr);
  return account;
}

std::string echo_account_text(const DialReport& report) {
  return text::columns(
      {{"sent", fmt::format("{} bytes in {} frames", text::grouped(report.traffic.sent_bytes),
                            text::grouped(report.traffic.sent_frames))},
       {"received", fmt::format("{} bytes, of which {} compared equal", text::grouped(report.traffic.received_bytes),
                                text::grouped(report.echo.compared_bytes))},
       {"rekeys", fmt::format("{} (last epoch {})", rekeys_of(report), report.epoch)},
       {"time", fmt::format("{:.3f} s, {:.1f} MB/s each way", seconds_of(report), megabytes_per_second(report))},
       {"closed", report.closed ? close_text(*report.closed) : ""}});
}

}  // namespace qsp::node
