#include "crypto/vectors.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace qsp::crypto::test {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kWhiteSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

Buffer value_bytes(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"') return copy(as_bytes(value.substr(1, value.size() - 2)));
  return unhex(value);
}

}  // namespace

std::optional<std::string_view> VectorBlock::find(std::string_view key) const {
  for (const auto& [name, value] : fields_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> VectorBlock::control(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (!key.starts_with("Ctrl")) continue;
    const std::string_view text(value);
    if (text.starts_with(name) && text.substr(name.size()).starts_with(':')) return text.substr(name.size() + 1);
  }
  return std::nullopt;
}

Buffer VectorBlock::bytes(std::string_view key) const { return value_bytes(find(key).value_or("")); }
Buffer VectorBlock::control_bytes(std::string_view name) const { return value_bytes(control(name).value_or("")); }

NamedKey named_key(std::string_view value) {
  const std::size_t first = value.find(':');
  const std::size_t second = value.find(':', first + 1);
  if (second == std::string_view::npos) throw std::invalid_argument("not name:algorithm:hex");
  return {value.substr(0, first), value.substr(first + 1, second - first - 1), unhex(value.substr(second + 1))};
}

std::vector<VectorBlock> read_vectors(std::string_view file, Wanted wanted) {
  std::ifstream in(std::string(QSP_VECTOR_DIRECTORY "/").append(file));
  if (!in) throw std::runtime_error("cannot read " + std::string(file));
  std::vector<VectorBlock> blocks;
  VectorBlock block;
  const auto close_block = [&] {
    if (!block.empty() && (wanted == nullptr || wanted(block))) blocks.push_back(std::move(block));
    block = {};
  };
  for (std::string line; std::getline(in, line);) {
    const std::string_view text = trimmed(line);
    if (text.empty()) close_block();
    if (text.empty() || text.front() == '#') continue;
    const std::size_t equals = text.find('=');
    // Lines without a key are the PEM text of a key, which no suite here reads from these files.
    if (equals == std::string_view::npos || text.starts_with("-----")) continue;
    block.add(std::string(trimmed(text.substr(0, equals))), std::string(trimmed(text.substr(equals + 1))));
  }
  close_block();
  return blocks;
}

void VectorTest::SetUp() {
  if (!std::filesystem::is_directory(QSP_VECTOR_DIRECTORY)) {
    GTEST_SKIP() << "no vector files in " QSP_VECTOR_DIRECTORY "; OpenSSL's source package has them (./dev setup)";
  }
}

}  // namespace qsp::crypto::test
