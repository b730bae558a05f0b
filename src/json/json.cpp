#include "json/json.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serializer.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/base64.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::json {
namespace {

namespace bj = boost::json;

/// Boost asks for no more than the default alignment, and gives some blocks back with another than it asked for.
class WipingMemory final : public bj::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t) override { return WipingAllocator<std::byte>().allocate(bytes); }
  void do_deallocate(void* block, std::size_t bytes, std::size_t) override {
    WipingAllocator<std::byte>().deallocate(static_cast<std::byte*>(block), bytes);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

/// Builds the value, and counts the members read: Boost keeps the last of two that have one name, so where fewer are
/// kept than were read, one came twice.
struct Builder {
  static constexpr std::size_t max_object_size = bj::object::max_size();  // NOLINT(readability-identifier-naming)
  static constexpr std::size_t max_array_size = bj::array::max_size();    // NOLINT(readability-identifier-naming)
  static constexpr std::size_t max_key_size = bj::string::max_size();     // NOLINT(readability-identifier-naming)
  static constexpr std::size_t max_string_size = bj::string::max_size();  // NOLINT(readability-identifier-naming)

  using Text = bj::string_view;
  using Code = bj::error_code;

  bj::value_stack stack{wiping_memory()};
  std::size_t members = 0;
  bool finite = true;

  bool on_document_begin(Code&) {
    stack.reset(wiping_memory());
    return true;
  }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t count, Code&) {
    stack.push_object(count);
    members += count;
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t count, Code&) {
    stack.push_array(count);
    return true;
  }
  bool on_key_part(Text part, std::size_t, Code&) {
    stack.push_chars(part);
    return true;
  }
  bool on_key(Text part, std::size_t, Code&) {
    stack.push_key(part);
    return true;
  }
  bool on_string_part(Text part, std::size_t, Code&) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(Text part, std::size_t, Code&) {
    stack.push_string(part);
    return true;
  }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t number, Text, Code&) {
    stack.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, Text, Code&) {
    stack.push_uint64(number);
    return true;
  }
  bool on_double(double number, Text, Code&) {
    stack.push_double(number);
    finite = finite && std::isfinite(number);
    return true;
  }
  bool on_bool(bool truth, Code&) {
    stack.push_bool(truth);
    return true;
  }
  bool on_null(Code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

/// Of all objects in a value, as deep as it was allowed to be.
std::size_t members_in(const bj::value& value) {
  std::size_t count = 0;
  if (const bj::object* const object = value.if_object()) {
    count = object->size();
    for (const auto& member : *object) count += members_in(member.value());
  } else if (const bj::array* const array = value.if_array()) {
    for (const bj::value& item : *array) count += members_in(item);
  }
  return count;
}

/// The parser unescapes strings in a buffer on the stack, which it leaves as it is: this overwrites where it was.
[[gnu::noinline]] void wipe_stack_below() noexcept {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
  std::array<std::uint8_t, std::size_t{4} * BOOST_JSON_STACK_BUFFER_SIZE> below;
  wipe(below);
}

std::unexpected<std::string> not_json(std::string_view why) {
  return std::unexpected("not JSON as it must be: " + std::string(why));
}

std::expected<bj::value, std::string> read(std::string_view text, std::size_t max_depth) {
  bj::parse_options options;
  options.max_depth = max_depth;
  bj::basic_parser<Builder> parser(options);
  bj::error_code failure;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
  if (failure) return not_json(failure.message());
  if (used != text.size()) return not_json("something stands behind its end");
  if (!parser.handler().finite) return not_json("a number is too large");
  bj::value value = parser.handler().stack.release();
  if (members_in(value) != parser.handler().members) return not_json("an object has a member twice");
  return value;
}

}  // namespace

bj::storage_ptr wiping_memory() {
  static WipingMemory memory;
  return &memory;
}

std::expected<bj::value, std::string> parse(std::string_view text, std::size_t max_depth) {
  auto value = read(text, max_depth);
  wipe_stack_below();
  return value;
}

SecretBytes serialize(const bj::value& value) {
  // Once to know the size, once into memory of that size.
  bj::serializer serializer;
  std::array<char, 1024> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  std::size_t size = 0;
  for (serializer.reset(&value); !serializer.done();) size += serializer.read(piece.data(), piece.size()).size();
  wipe({reinterpret_cast<std::uint8_t*>(piece.data()), piece.size()});
  SecretBytes text(size);
  char* const out = reinterpret_cast<char*>(text.writable().data());
  serializer.reset(&value);
  for (std::size_t at = 0; !serializer.done();) at += serializer.read(out + at, size - at).size();
  return text;
}

bj::string to_base64(Bytes bytes) {
  bj::string text(wiping_memory());
  text.resize(base64_size(bytes.size()));
  qsp::to_base64(bytes, text);
  return text;
}

}  // namespace qsp::json
