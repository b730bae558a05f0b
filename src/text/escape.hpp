#pragma once

#include <string>
#include <string_view>

/// Text that somebody else chose, made safe for the place where it is shown or sent. Each function is named for that
/// place, since what is safe in one is not in another. All of them take any bytes.
namespace qsp::text {

/// For one line of a terminal or a log (SPEC §5.8): printable ASCII stays, a backslash is doubled, every other byte
/// becomes \xNN.
[[nodiscard]] std::string terminal_escape(std::string_view text);
/// The same for text of several lines: its line feeds stay.
[[nodiscard]] std::string terminal_escape_lines(std::string_view text);

/// For the inside of an XML, SVG or HTML element, or of an attribute in double quotes. Control characters, which
/// XML 1.0 has no way to write, become blanks; bytes beyond ASCII stay as they are.
[[nodiscard]] std::string xml_escape(std::string_view text);

/// For one segment of a URL's path, or one name or value of its query (RFC 3986 §2.1): everything but the unreserved
/// characters becomes %NN.
[[nodiscard]] std::string url_escape(std::string_view text);

/// For the value of a label in Prometheus' text format 0.0.4, between its double quotes: \\, \" and \n.
[[nodiscard]] std::string prometheus_label_escape(std::string_view text);

/// For a value in a connection string of libpq (PostgreSQL, "Keyword/Value Connection Strings"), between its single
/// quotes: \\ and \'.
[[nodiscard]] std::string conninfo_escape(std::string_view text);

/// Serialized JSON in which every byte that is not UTF-8 becomes \\xNN: as terminal_escape has it, with the backslash
/// doubled as JSON wants it. Names of files are any bytes, JSON is UTF-8 (RFC 8259 §8.1), and such bytes can only stand
/// in its strings.
[[nodiscard]] std::string json_escape_bytes(std::string_view json);

}  // namespace qsp::text
