#include "crypto/part_provider.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace qsp::crypto::test {
namespace {

OSSL_PROVIDER* standard = nullptr;
std::vector<std::string_view> missing;

/// OpenSSL lists the names of an algorithm with colons between them.
bool is_missing(std::string_view names) {
  return std::ranges::any_of(missing, [&](std::string_view name) {
    return names == name || names.starts_with(std::string(name).append(":"));
  });
}

/// What OpenSSL's default provider has, but for those.
const OSSL_ALGORITHM* query(void* /*provider*/, int operation, int* no_cache) {
  static std::map<int, std::vector<OSSL_ALGORITHM>> tables;
  static std::deque<std::string> properties;
  std::vector<OSSL_ALGORITHM>& table = tables[operation];
  const OSSL_ALGORITHM* all = OSSL_PROVIDER_query_operation(standard, operation, no_cache);
  if (table.empty()) {
    for (; all != nullptr && all->algorithm_names != nullptr; ++all) {
      if (is_missing(all->algorithm_names)) continue;
      constexpr std::string_view kTheirs = "provider=default";
      std::string& ours = properties.emplace_back(all->property_definition);
      if (const std::size_t at = ours.find(kTheirs); at != std::string::npos) {
        ours.replace(at, kTheirs.size(), "provider=part");
      }
      table.push_back(*all);
      table.back().property_definition = ours.c_str();
    }
    table.push_back({nullptr, nullptr, nullptr, nullptr});
  }
  *no_cache = 0;
  return table.data();
}

int start(const OSSL_CORE_HANDLE* /*core*/, const OSSL_DISPATCH* /*in*/, const OSSL_DISPATCH** out, void** context) {
  static const std::array table{
      OSSL_DISPATCH{OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<void (*)(void)>(query)},
      OSSL_DISPATCH{0, nullptr}};
  *out = table.data();
  *context = OSSL_PROVIDER_get0_provider_ctx(standard);
  return 1;
}

}  // namespace

PartProvider::PartProvider(std::vector<std::string_view> lacking) {
  missing = std::move(lacking);
  standard = OSSL_PROVIDER_load(nullptr, "default");
  OSSL_PROVIDER_add_builtin(nullptr, "part", start);
  part_ = OSSL_PROVIDER_load(nullptr, "part");
}

PartProvider::~PartProvider() {
  OSSL_PROVIDER_unload(part_);
  OSSL_PROVIDER_unload(standard);
}

}  // namespace qsp::crypto::test
