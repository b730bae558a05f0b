#include "cli/session/client_account.hpp"

#include <utility>

#include "cli/json.hpp"
#include "cli/output.hpp"
#include "node/dial_account.hpp"

namespace qsp::cli {

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

void account_for(const Context& context, const node::DialReport& report, const node::Dialled& dialled,
                 const std::optional<std::string>& failure, AccountLines& lines) {
  if (context.json || lines.has_file()) lines.add(node::account_of(report, dialled, failure), !dialled.check_echo);
  if (!context.json && dialled.check_echo && report.established) print_out("{}", node::echo_account_text(report));
}

}  // namespace qsp::cli
