#include "kme/check/caller.hpp"

#include <chrono>
#include <utility>

#include "base/try.hpp"

namespace qsp::kme::check {

files::OrText<Caller> Caller::make(const CheckedSide& side) {
  Caller made;
  https::HttpClientOptions to;
  to.url = side.url;
  to.tls = side.tls;
  to.server_name = side.server_name;
  QSP_TRY(auto client, https::Client::make(*made.loop_, to));
  made.client_ = std::move(client);
  return made;
}

std::expected<https::Response, https::CallFailure> Caller::get(const std::string& target) {
  return call(https::Method::Get, target, {});
}

std::expected<https::Response, https::CallFailure> Caller::post(const std::string& target, std::string_view body) {
  return call(https::Method::Post, target, body);
}

std::expected<https::Response, https::CallFailure> Caller::call(https::Method method, const std::string& target,
                                                                std::string_view body) {
  constexpr std::chrono::seconds kTime{10};
  std::expected<https::Response, https::CallFailure> answer = std::unexpected(https::CallFailure{false, "no answer"});
  https::Call call{
      .method = method, .target = target, .body = SecretBytes::copy_of(body), .deadline = net::Loop::now() + kTime};
  client_->call(std::move(call), [&](std::expected<https::Response, https::CallFailure> result) {
    answer = std::move(result);
    loop_->io().stop();
  });
  loop_->io().restart();
  loop_->run();
  return answer;
}

}  // namespace qsp::kme::check
