#pragma once

#include <boost/json/memory_resource.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "qsp/bytes.hpp"
#include "qsp/crypto.hpp"

/// JSON that may hold keys, from people who may be hostile: read strictly, kept in memory that is wiped.
namespace qsp::json {

/// Memory for values that hold secrets: every block is wiped before it is given back.
boost::json::storage_ptr wiping_memory();

/// One whole JSON text: UTF-8, no member twice, nested at most `max_depth` deep, nothing behind it but white space. The
/// error says what is wrong and quotes nothing. The caller bounds the size. The value lives in wiping memory.
std::expected<boost::json::value, std::string> parse(std::string_view text, std::size_t max_depth);

/// Compact JSON.
SecretBytes serialize(const boost::json::value& value);

/// Base64 (base/base64.hpp) in wiping memory.
boost::json::string to_base64(Bytes bytes);

}  // namespace qsp::json
