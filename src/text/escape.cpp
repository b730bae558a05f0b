#include "text/escape.hpp"

#include <boost/locale/utf.hpp>

namespace qsp::text {
namespace {

constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";

void append_hex(std::string& out, std::string_view prefix, char c, std::string_view digits) {
  const auto byte = static_cast<unsigned char>(c);
  out.append(prefix);
  out += digits[byte >> 4];
  out += digits[byte & 0xF];
}

bool is_printable(char c) noexcept { return c >= ' ' && c <= '~'; }

/// RFC 3986 §2.3.
bool is_unreserved(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string escape_for_terminal(std::string_view text, bool keep_line_feeds) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '\\') {
      safe += "\\\\";
    } else if (is_printable(c) || (keep_line_feeds && c == '\n')) {
      safe += c;
    } else {
      append_hex(safe, "\\x", c, kLowerHex);
    }
  }
  return safe;
}

}  // namespace

std::string terminal_escape(std::string_view text) { return escape_for_terminal(text, false); }
std::string terminal_escape_lines(std::string_view text) { return escape_for_terminal(text, true); }

std::string xml_escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
    }
  }
  return safe;
}

std::string url_escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      safe += c;
    } else {
      append_hex(safe, "%", c, kUpperHex);
    }
  }
  return safe;
}

std::string prometheus_label_escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '\\' || c == '"') safe += '\\';
    if (c == '\n') {
      safe += "\\n";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string conninfo_escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '\'' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string json_escape_bytes(std::string_view json) {
  using Utf8 = boost::locale::utf::utf_traits<char>;
  std::string valid;
  valid.reserve(json.size());
  for (auto at = json.begin(); at != json.end();) {
    const auto start = at;
    const boost::locale::utf::code_point point = Utf8::decode(at, json.end());
    if (boost::locale::utf::is_valid_codepoint(point)) {
      valid.append(start, at);
    } else {
      append_hex(valid, "\\\\x", *start, kLowerHex);
      at = start + 1;
    }
  }
  return valid;
}

}  // namespace qsp::text
