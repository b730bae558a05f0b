#include "text/tree.hpp"

#include <cstddef>

namespace qsp::text {
namespace {

void write(std::string& out, const std::vector<Branch>& branches, std::size_t depth) {
  constexpr std::size_t kIndent = 2;
  for (const Branch& branch : branches) {
    out.append(kIndent * depth, ' ').append(branch.line) += '\n';
    write(out, branch.below, depth + 1);
  }
}

}  // namespace

std::string tree(const std::vector<Branch>& branches) {
  std::string out;
  write(out, branches, 0);
  return out;
}

}  // namespace qsp::text
