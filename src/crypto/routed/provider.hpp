#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/routed/library.hpp"
#include "qsp/crypto.hpp"
#include "qsp/error.hpp"

namespace qsp::crypto {

/// What a person calls the choices.
inline constexpr std::array<std::string_view, 3> kLibraryNames{"auto", "openssl", "awslc"};

/// Whether this program is built with it. Auto and OpenSSL always.
[[nodiscard]] bool is_built_in(Library library) noexcept;

/// The choice of that name. Errors, each a line for a person that begins with what was wrong: none has that name; it is
/// not in this program, and what to do then.
Result<Library, std::string> library_by_name(std::string_view name);
[[nodiscard]] std::string_view name(Library library) noexcept;

/// What make_provider() makes, everywhere in the program: Auto, until something else is set. Set before there are
/// threads, so that all sessions of the program have the same.
void set_default_library(Library library) noexcept;
[[nodiscard]] Library default_library() noexcept;

/// The provider that this program uses: over one library, or over all that it is built with, each where it is best.
/// Nothing else in the program makes one. A provider belongs to one thread: make one for each thread, and hand it on
/// within the thread. Error: one line for a person that says what to do.
Result<std::unique_ptr<Provider>, std::string> make_provider(Library library = default_library());

}  // namespace qsp::crypto
