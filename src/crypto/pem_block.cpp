#include <algorithm>
#include <cstdint>
#include <span>

#include "base/base64.hpp"
#include "crypto/pem.hpp"
#include "crypto/pem_marks.hpp"

namespace qsp::crypto {
namespace {

constexpr std::size_t kLineSize = 64;  // RFC 7468 §2
constexpr std::string_view kDamagedBlock = "a damaged PEM block";

/// The lines between the first and the last, which are BEGIN and END of the label.
std::string_view body_of(const PemBlock& block) noexcept {
  constexpr std::string_view kFirstLine = "-----BEGIN -----\n", kLastLine = "-----END -----\n";
  std::string_view text = block.text.reveal_text();
  text.remove_prefix(kFirstLine.size() + block.label.size());
  text.remove_suffix(kLastLine.size() + block.label.size());
  return text;
}

constexpr bool is_of_base64(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

/// All ones or zero.
std::uint32_t starts_with(std::string_view text, std::string_view begin) noexcept {
  if (text.size() < begin.size()) return 0;
  std::uint32_t equal = ~std::uint32_t{0};
  for (std::size_t i = 0; i < begin.size(); ++i) equal &= same(text[i], begin[i]);
  return equal;
}

}  // namespace

bool stands_in(std::string_view text, std::string_view needle) noexcept {
  const auto anchor = static_cast<std::size_t>(std::ranges::find_if_not(needle, is_of_base64) - needle.begin());
  for (std::size_t at = anchor; at < text.size(); ++at) {
    // Public: where a character stands that Base64 does not have, and whether the needle is around it.
    if (declassified(same(text[at], needle[anchor])) != 0 &&
        declassified(starts_with(text.substr(at - anchor), needle)) != 0)
      return true;
  }
  return false;
}

Result<SecretBytes, std::string_view> decode(const PemBlock& block) {
  const std::string_view body = body_of(block);
  if (stands_in(body, ":")) return std::unexpected("a PEM block with headers, which PKCS#8 does not have");
  // An empty line may follow BEGIN; further down it ends headers, which may have been lost.
  if (stands_in(body, "\n\n")) return std::unexpected(kDamagedBlock);
  SecretBytes text;
  text.reserve(body.size());
  for (const char& c : body) {
    const Mark mark = mark_of(c);
    if (!ends_line(mark) && mark != Mark::White) text.append(std::string_view(&c, 1));
  }
  SecretBytes bytes(text.size() / 4 * 3);
  const auto size = from_base64(text.reveal_text(), bytes.writable());
  if (!size || *size == 0) return std::unexpected(kDamagedBlock);
  bytes.resize(*size);
  return bytes;
}

void append_pem(SecretBytes& text, std::string_view label, Bytes bytes) {
  SecretBytes body(base64_size(bytes.size()));
  to_base64(bytes, std::span(reinterpret_cast<char*>(body.writable().data()), body.size()));
  for (const std::string_view part : {std::string_view("-----BEGIN "), label, std::string_view("-----\n")}) {
    text.append(part);
  }
  for (std::string_view rest = body.reveal_text(); !rest.empty();) {
    text.append(rest.substr(0, kLineSize));
    text.append("\n");
    rest.remove_prefix(std::min(kLineSize, rest.size()));
  }
  for (const std::string_view part : {std::string_view("-----END "), label, std::string_view("-----\n")}) {
    text.append(part);
  }
}

}  // namespace qsp::crypto
