#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "https/client.hpp"
#include "kme/check/check.hpp"
#include "net/loop.hpp"

namespace qsp::kme::check {

/// Makes one call after the other and waits for each.
class Caller {
 public:
  static files::OrText<Caller> make(const CheckedSide& side);

  /// The answer, or why there is none.
  std::expected<https::Response, https::CallFailure> get(const std::string& target);
  std::expected<https::Response, https::CallFailure> post(const std::string& target, std::string_view body);

 private:
  Caller() = default;
  std::expected<https::Response, https::CallFailure> call(https::Method method, const std::string& target,
                                                          std::string_view body);

  std::unique_ptr<net::Loop> loop_ = std::make_unique<net::Loop>();
  std::unique_ptr<https::Client> client_;
};

}  // namespace qsp::kme::check
