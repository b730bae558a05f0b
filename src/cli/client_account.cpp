#include "cli/client_account.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <utility>

#include "cli/close_text.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "files/file.hpp"
#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

void print_echo_account(const Context& context, const node::DialReport& report, AccountLines& lines,
                        const std::optional<std::string>& failure) {
  const double seconds = std::chrono::duration<double>(report.elapsed).count();
  const double rate = seconds > 0 ? static_cast<double>(report.echo.compared_bytes) / seconds / 1e6 : 0;
  const std::uint32_t rekeys = report.epoch > 0 ? report.epoch - 1 : 0;
  const std::string reason = report.closed ? close_text(*report.closed) : "";
  if (context.json || lines.has_file()) {
    boost::json::object account{{"ok", !failure},
                                {"sent_bytes", report.traffic.sent_bytes},
                                {"sent_frames", report.traffic.sent_frames},
                                {"received_bytes", report.traffic.received_bytes},
                                {"compared_bytes", report.echo.compared_bytes},
                                {"missing_bytes", report.echo.missing_bytes},
                                {"final_epoch", report.epoch},
                                {"rekeys", rekeys},
                                {"elapsed_sec", seconds},
                                {"mb_per_sec", rate},
                                {"closed", report.closed ? name(report.closed->reason) : ""},
                                {"closed_by_peer", report.closed && report.closed->by_peer},
                                {"truncated", report.closed && report.closed->truncated}};
    account["error"] = failure ? boost::json::value(*failure) : boost::json::value(nullptr);
    lines.add(account, false);
  }
  if (context.json || !report.established) return;
  const text::Rows rows{
      {"sent", fmt::format("{} bytes in {} frames", text::grouped(report.traffic.sent_bytes),
                           text::grouped(report.traffic.sent_frames))},
      {"received", fmt::format("{} bytes, of which {} compared equal", text::grouped(report.traffic.received_bytes),
                               text::grouped(report.echo.compared_bytes))},
      {"rekeys", fmt::format("{} (last epoch {})", rekeys, report.epoch)},
      {"time", fmt::format("{:.3f} s, {:.1f} MB/s each way", seconds, rate)},
      {"closed", reason}};
  print_out("{}", text::columns(rows));
}

void print_pipe_account(const Context& context, const node::DialReport& report, AccountLines& lines,
                        const std::optional<std::string>& failure) {
  if (!context.json && !lines.has_file()) return;
  boost::json::object account{{"ok", !failure},
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
  account["error"] = failure ? boost::json::value(*failure) : boost::json::value(nullptr);
  lines.add(account, true);
}

}  // namespace

std::expected<AccountLines, std::string> AccountLines::open(const std::string& file) {
  AccountLines lines;
  if (file.empty()) return lines;
  auto begun = files::Replacement::begin_new(file, files::kOwnerOnly);
  if (!begun) return std::unexpected("--account " + begun.error());
  lines.file_.emplace(*std::move(begun));
  return lines;
}

void AccountLines::add(const boost::json::object& account, bool pipe) {
  const std::string line = json_line(account);
  if (!file_) return pipe ? write_err(line) : print_json(account);
  if (written_) written_ = file_->write(as_bytes(line));
}

files::OrText<void> AccountLines::commit() {
  if (!file_) return {};
  if (written_) written_ = file_->commit();
  if (!written_) return std::unexpected("--account " + written_.error());
  return {};
}

void account_for(const Context& context, const node::DialReport& report, const Dialled& dialled,
                 const std::optional<std::string>& failure, AccountLines& lines) {
  if (dialled.check_echo) {
    print_echo_account(context, report, lines, failure);
  } else {
    print_pipe_account(context, report, lines, failure);
  }
}

}  // namespace qsp::cli
