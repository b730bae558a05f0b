#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "etsi014/etsi014.hpp"
#include "https/https.hpp"
#include "kme/store/store.hpp"

namespace qsp::kme {

/// The error body that GS QKD 014 §6.5 gives to 400 and 503. 401 has none.
inline https::Response refuse(unsigned status, std::string_view message) {
  https::Response response;
  response.status = status;
  if (status != 401) response.body = etsi014::to_json(etsi014::Error{.message = std::string(message), .details = {}});
  if (status == 503) response.retry_after = 1;
  return response;
}

/// The details are for the KME's log, not for a caller.
inline https::Response refuse(const StoreError& error) {
  return refuse(503, error.full ? "the key store is full" : "the key store does not answer");
}

inline https::Response answer(SecretBytes body) {
  https::Response response;
  response.body = std::move(body);
  return response;
}

}  // namespace qsp::kme
