#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "qsp/crypto.hpp"

/// Text with PEM blocks, as RFC 7468 allows it: explanatory text before, between and behind them (§2, §5.2), any line
/// end, a byte order mark. Of what stands in a block, time, branches and addresses depend on its layout alone: on where
/// lines end, and where white space, hyphens and padding are.
namespace qsp::crypto {

struct PemBlock {
  std::string_view label;  ///< "PRIVATE KEY", say; a view of the text that is read
  SecretBytes text;        ///< the block alone, from BEGIN to END, its lines ended by line feeds
};

/// Whether a block of this label holds a key: private or public, in any format.
bool is_key_label(std::string_view label) noexcept;
bool is_private_key_label(std::string_view label) noexcept;

/// Whether `needle` stands in a text that may have a private key in it. The needle has a character that Base64 has not:
/// where that one stands, and that the needle does or does not, is all that time tells.
bool stands_in(std::string_view text, std::string_view needle) noexcept;

/// The bytes of a block: at least one. Error: what is wrong, a phrase for a person.
Result<SecretBytes, std::string_view> decode(const PemBlock& block);

/// A block as text: lines of 64 characters, each ended by a line feed. Appends it.
void append_pem(SecretBytes& text, std::string_view label, Bytes bytes);

/// The blocks of a text, one after the other. What lies outside them is skipped, but never what could be a damaged
/// block: a line with five or more dashes that is not a boundary ends the reading with an error.
class PemReader {
 public:
  /// `text` outlives the reader and the labels of its blocks.
  explicit PemReader(std::string_view text) noexcept : rest_(text) {}

  /// The next block; nothing where there is no more. Error: what is wrong, a phrase for a person.
  Result<std::optional<PemBlock>, std::string_view> next();

  /// Whether the text skipped so far prints a private key, as `openssl pkey -text -noout` does.
  [[nodiscard]] bool skipped_private_key() const noexcept { return skipped_private_key_; }

 private:
  struct Line {
    std::string_view text;  ///< without white space and byte order mark around it
    bool ended;             ///< not cut off by the end of the text
  };
  Line next_line() noexcept;
  Result<PemBlock, std::string_view> rest_of_block(std::string_view label, std::string_view begin);

  std::string_view rest_;
  bool skipped_private_key_ = false;
};

}  // namespace qsp::crypto
