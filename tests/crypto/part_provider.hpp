#pragma once

#include <string_view>
#include <vector>

struct ossl_provider_st;

namespace qsp::crypto::test {

/// OpenSSL's default provider without some of its algorithms, as the provider "part" of OpenSSL's default context: the
/// property query "provider=part" finds it. One at a time, in a program of its own.
class PartProvider {
 public:
  /// The algorithms that it lacks, by the first of OpenSSL's names for each.
  explicit PartProvider(std::vector<std::string_view> lacking);
  ~PartProvider();
  PartProvider(const PartProvider&) = delete;
  PartProvider& operator=(const PartProvider&) = delete;

 private:
  ossl_provider_st* part_;
};

}  // namespace qsp::crypto::test
