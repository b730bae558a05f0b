#include "e91/station/eve_file.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <system_error>

namespace qsp::e91::station {
namespace {

constexpr std::size_t kMaxEveFile = 4096;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(kSpace) - from + 1));
}

}  // namespace

files::OrText<EveChoice> EveChoice::make(const std::string& text, const std::string& file) {
  auto eve = link::parse_eve(text);
  if (!eve) return std::unexpected("--eve: " + eve.error());
  return EveChoice(*std::move(eve), file);
}

const link::Eve* EveChoice::changed() {
  std::shared_ptr<const link::Eve> eve = default_;
  std::error_code error;
  if (!file_.empty() && std::filesystem::exists(file_, error)) {
    const auto content = files::read_file(file_, kMaxEveFile);
    // A writer's file is empty between its opening and its first byte.
    const std::string text = content ? trimmed(content->text.reveal_text()) : std::string();
    if (text.empty()) return nullptr;
    auto read = link::parse_eve(text);
    if (!read) {
      if (read.error() != problem_) spdlog::error("{}: {}; all stays as it is", file_, read.error());
      problem_ = read.error();
      return nullptr;
    }
    eve = *std::move(read);
  }
  problem_.clear();
  if (eve->name() == current_->name()) return nullptr;
  current_ = std::move(eve);
  return current_.get();
}

}  // namespace qsp::e91::station
