#include "crypto/pem.hpp"

#include <algorithm>
#include <utility>

#include "base/try.hpp"
#include "crypto/pem_marks.hpp"

namespace qsp::crypto {
namespace {

constexpr std::string_view kDashes = "-----";
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kDamaged = "a damaged PEM block";

std::string_view trimmed(std::string_view line) noexcept {
  if (!line.empty() && mark_of(line.front()) == Mark::Foreign && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  while (!line.empty() && mark_of(line.front()) == Mark::White) line.remove_prefix(1);
  while (!line.empty() && mark_of(line.back()) == Mark::White) line.remove_suffix(1);
  return line;
}

/// The label of the boundary that `line` is, BEGIN or END; nothing if it is neither (RFC 7468 §3: printable characters,
/// and no two hyphens).
std::optional<std::string_view> label_of(std::string_view line, std::string_view boundary) noexcept {
  if (!line.starts_with(boundary) || !line.ends_with(kDashes)) return std::nullopt;
  if (line.size() <= boundary.size() + kDashes.size()) return std::nullopt;
  line.remove_prefix(boundary.size());
  line.remove_suffix(kDashes.size());
  const bool printable = std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
  return printable && !line.contains("--") ? std::optional(line) : std::nullopt;
}

/// Whether a line outside the blocks could be what is left of a boundary. A ruler of dashes alone is none, unless the
/// text ends in it: then it may have been cut off there.
bool may_be_boundary(std::string_view line, bool ended) noexcept {
  if (line.find_first_not_of('-') == std::string_view::npos) return !ended && !line.empty();
  return line.contains(kDashes);
}

}  // namespace

bool is_key_label(std::string_view label) noexcept { return label.ends_with("KEY"); }
bool is_private_key_label(std::string_view label) noexcept { return label.ends_with("PRIVATE KEY"); }

PemReader::Line PemReader::next_line() noexcept {
  std::size_t end = 0;
  while (end < rest_.size() && !ends_line(mark_of(rest_[end]))) ++end;
  const bool ended = end < rest_.size();
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(line.size());
  const bool two = rest_.size() > 1 && mark_of(rest_[0]) == Mark::Return && mark_of(rest_[1]) == Mark::LineFeed;
  rest_.remove_prefix(two ? 2 : ended ? 1 : 0);
  return {trimmed(line), ended};
}

Result<std::optional<PemBlock>, std::string_view> PemReader::next() {
  if (rest_.starts_with("\xFF\xFE") || rest_.starts_with("\xFE\xFF")) {
    return std::unexpected("UTF-16 text; save it as UTF-8 or ASCII");
  }
  while (!rest_.empty()) {
    const Line line = next_line();
    if (const auto label = label_of(line.text, kBegin)) {
      QSP_TRY(auto block, rest_of_block(*label, line.text));
      return block;
    }
    if (may_be_boundary(line.text, line.ended)) return std::unexpected(kDamaged);
    skipped_private_key_ = skipped_private_key_ || line.text.contains("Private-Key:");
  }
  return std::nullopt;
}

Result<PemBlock, std::string_view> PemReader::rest_of_block(std::string_view label, std::string_view begin) {
  std::size_t size = begin.size() + 1;
  const std::string_view from = rest_;
  while (true) {
    if (rest_.empty()) return std::unexpected("a PEM block without its end: a damaged PEM block");
    const std::string_view line = next_line().text;
    size += line.size() + 1;
    if (!stands_in(line, kDashes)) continue;
    if (label_of(line, kEnd) != label) return std::unexpected(kDamaged);
    break;
  }
  SecretBytes text;
  text.reserve(size);
  text.append(begin);
  text.append("\n");
  for (PemReader lines(from.substr(0, from.size() - rest_.size())); !lines.rest_.empty();) {
    text.append(lines.next_line().text);
    text.append("\n");
  }
  return PemBlock{label, std::move(text)};
}

}  // namespace qsp::crypto
