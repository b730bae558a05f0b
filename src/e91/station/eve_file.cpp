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
  const auto eve = link::parse_eve(text);
  if (!eve) return std::unexpected("--eve: " + eve.error());
  EveChoice choice(text, file);
  choice.name_ = (*eve)->name();
  return choice;
}

std::unique_ptr<link::Eve> EveChoice::first() const {
  auto eve = link::parse_eve(default_);
  return eve ? std::move(*eve) : link::no_eve();
}

std::unique_ptr<link::Eve> EveChoice::changed() {
  std::string text = default_;
  std::error_code error;
  if (!file_.empty() && std::filesystem::exists(file_, error)) {
    const auto content = files::read_file(file_, kMaxEveFile);
    // A writer's file is empty between its opening and its first byte.
    text = content ? trimmed(content->text.reveal_text()) : std::string();
    if (text.empty()) return nullptr;
  }
  auto eve = link::parse_eve(text);
  if (!eve) {
    if (eve.error() != problem_) spdlog::error("{}: {}; all stays as it is", file_, eve.error());
    problem_ = eve.error();
    return nullptr;
  }
  problem_.clear();
  if ((*eve)->name() == name_) return nullptr;
  name_ = (*eve)->name();
  return std::move(*eve);
}

}  // namespace qsp::e91::station
