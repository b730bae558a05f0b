#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "files/file.hpp"
#include "https/authority.hpp"

/// What the laboratories of `qsp kme lab` and `qsp e91 lab` have in common: a folder with an authority, two KMEs and an
/// SAE at each.
namespace qsp::lab {

/// One of the two sites.
struct Site {
  char side;
  std::string_view kme, sae;
  std::uint16_t port, admin_port;
};

/// Both, side a first, with the four ports from `port` on.
std::array<Site, 2> sites(std::uint16_t port);

/// How a site's KME comes by its keys, as its configuration has it.
struct SiteKeys {
  std::string producer;  ///< lines of TOML
  unsigned pool = 2000;
  unsigned key_life = 3600;  ///< seconds
};

inline constexpr unsigned kPublic = 0644;
inline constexpr unsigned kPrivate = 0600;

class Lab {
 public:
  /// A new folder with ca.pem and ca-key.pem.
  static files::OrText<Lab> make(const std::string& folder);

  [[nodiscard]] files::OrText<void> write(std::string_view name, std::string_view text, unsigned mode) const;
  [[nodiscard]] files::OrText<void> make_folder(std::string_view name) const;
  /// cert.pem and key.pem in folder `name`, which is made; the certificate is for `name`, and as a server's for this
  /// machine.
  [[nodiscard]] files::OrText<void> write_credential(std::string_view name, bool server);
  /// Folder, certificate and configuration of a site's KME, and folder and certificate of its SAE.
  [[nodiscard]] files::OrText<void> write_site(const Site& here, const Site& there, const SiteKeys& keys);

  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

 private:
  Lab(std::string folder, https::Authority authority) : folder_(std::move(folder)), authority_(std::move(authority)) {}

  std::string folder_;
  https::Authority authority_;
};

}  // namespace qsp::lab
