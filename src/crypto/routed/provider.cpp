#include "crypto/routed/provider.hpp"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "crypto/routed/routed.hpp"
#ifdef QSP_HAS_CRYPTO_AWSLC
#include "qsp/awslc.hpp"
#endif
#include "qsp/openssl.hpp"

namespace qsp::crypto {
namespace {

constexpr std::string_view kNoAwsLc =
    "this program is built without AWS-LC: run ./dev setup and build it again (see README), or use openssl or auto";

std::atomic<Library> chosen = Library::Auto;

using Made = Result<std::unique_ptr<Provider>, std::string>;

Made as_line(Result<std::unique_ptr<Provider>> made) {
  if (!made) return std::unexpected(std::string(made.error().where));
  return *std::move(made);
}

Made make_awslc() {
#ifdef QSP_HAS_CRYPTO_AWSLC
  return as_line(make_awslc_provider());
#else
  return std::unexpected(std::string(kNoAwsLc));
#endif
}

}  // namespace

bool is_built_in(Library library) noexcept {
#ifdef QSP_HAS_CRYPTO_AWSLC
  return std::to_underlying(library) < kLibraryNames.size();
#else
  return library != Library::AwsLc;
#endif
}

Result<Library, std::string> library_by_name(std::string_view name) {
  const auto* const found = std::ranges::find(kLibraryNames, name);
  if (found == kLibraryNames.end()) return std::unexpected("no choice of that name; take auto, openssl or awslc");
  const auto library = static_cast<Library>(found - kLibraryNames.begin());
  if (!is_built_in(library)) return std::unexpected(std::string(kNoAwsLc));
  return library;
}

std::string_view name(Library library) noexcept { return kLibraryNames[std::to_underlying(library)]; }

void set_default_library(Library library) noexcept { chosen = library; }
Library default_library() noexcept { return chosen; }

Made make_provider(Library library) {
  if (library == Library::AwsLc) return make_awslc();
  QSP_TRY(auto openssl, as_line(make_openssl_provider()));
  if (library == Library::OpenSsl || !is_built_in(Library::AwsLc)) return openssl;
  QSP_TRY(auto awslc, make_awslc());
  std::vector<Part> parts;
  parts.push_back({Library::OpenSsl, std::move(openssl)});
  parts.push_back({Library::AwsLc, std::move(awslc)});
  return make_routed_provider(std::move(parts));
}

}  // namespace qsp::crypto
