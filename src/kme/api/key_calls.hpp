#pragma once

#include <expected>
#include <string>
#include <vector>

#include "https/server.hpp"
#include "kme/config/config.hpp"
#include "kme/store/store.hpp"

/// What an SAE asks for, out of the forms that GS QKD 014 §5 allows.
namespace qsp::kme::api {

inline constexpr std::uint32_t kMinKeySizeBits = 64;
inline constexpr std::uint32_t kMaxKeySizeBits = 8 * etsi014::kMaxKeySize;
inline constexpr std::size_t kMaxSaeIds = 8;  ///< additional slaves of one key

/// The request of enc_keys, by GET or POST. The error is the message of a 400.
std::expected<TakeRequest, std::string> read_enc_keys(const https::Request& request, const Config& config,
                                                      const PeerLinkConfig& link, const std::string& slave);

/// The key_IDs of dec_keys, by GET or POST. The error is the message of a 400.
std::expected<std::vector<Uuid>, std::string> read_dec_keys(const https::Request& request, const Config& config);

}  // namespace qsp::kme::api
