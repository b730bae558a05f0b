#include "kme/check/load.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "etsi014/etsi014.hpp"
#include "https/await.hpp"
#include "https/client.hpp"
#include "net/loop.hpp"
#include "text/escape.hpp"

namespace qsp::kme::check {
namespace {

using https::Awaitable;

using std::chrono::milliseconds;

constexpr std::chrono::seconds kCallTime{30};
constexpr milliseconds kPause{20};  ///< after a 503
constexpr std::uint64_t kMaxRefused = 100'000;

class Load {
 public:
  explicit Load(const LoadOptions& options) : options_(options) {}

  files::OrText<LoadResult> run() {
    for (const auto& [side, client] : {std::pair{&options_.master, &master_}, std::pair{&options_.slave, &slave_}}) {
      https::HttpClientOptions to;
      to.url = side->url;
      to.tls = side->tls;
      to.server_name = side->server_name;
      to.connections = options_.concurrency;
      QSP_TRY(auto made, https::Client::make(loop_, to));
      *client = std::move(made);
    }
    const Instant started = net::Loop::now();
    running_ = options_.concurrency;
    for (std::size_t i = 0; i < options_.concurrency; ++i) {
      boost::asio::co_spawn(loop_.executor(), work(), boost::asio::detached);
    }
    loop_.run();
    if (!problem_.empty()) return std::unexpected(problem_);
    result_.elapsed_sec = std::chrono::duration<double>(net::Loop::now() - started).count();
    std::tie(result_.enc_median_ms, result_.enc_p99_ms) = quantiles(enc_);
    std::tie(result_.dec_median_ms, result_.dec_p99_ms) = quantiles(dec_);
    return result_;
  }

 private:
  static std::string path(const std::string& sae, std::string_view call) {
    return "/api/v1/keys/" + text::url_escape(sae) + '/' + std::string(call);
  }

  Awaitable<void> work() {
    while (problem_.empty() && begun_ < options_.pairs) {
      const auto number =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(options_.keys_per_call, options_.pairs - begun_));
      begun_ += number;
      const std::string request = R"({"number":)" + std::to_string(number) + R"(,"size":256})";
      const auto given = co_await ask(*master_, enc_keys_, request, enc_);
      if (given == nullptr) continue;
      etsi014::KeyIds ids;
      for (const etsi014::Key& key : given->keys) ids.key_ids.push_back(key.key_id);
      const SecretBytes wanted = etsi014::to_json(ids);
      const auto redeemed = co_await ask(*slave_, dec_keys_, wanted.reveal_text(), dec_);
      if (redeemed != nullptr) compare(*given, *redeemed);
    }
    if (--running_ == 0) loop_.io().stop();
  }

  /// Calls until the answer is not 503. Null: the answer did not come, and its keys are lost, or the run is over.
  Awaitable<std::shared_ptr<etsi014::KeyContainer>> ask(https::Client& client, const std::string& target,
                                                        std::string_view body, std::vector<float>& times) {
    while (problem_.empty()) {
      const Instant started = net::Loop::now();
      https::Call request{.method = https::Method::Post,
                          .target = target,
                          .body = SecretBytes::copy_of(body),
                          .deadline = started + kCallTime};
      const auto answer = co_await https::call(client, std::move(request));
      if (!*answer) {
        if (!(*answer).error().sent) problem_ = (*answer).error().text;
        ++result_.lost;
        co_return nullptr;
      }
      if ((*answer)->status == 200) {
        times.push_back(std::chrono::duration<float, std::milli>(net::Loop::now() - started).count());
        auto container = etsi014::parse_key_container((*answer)->body.reveal_text());
        if (container) co_return std::make_shared<etsi014::KeyContainer>(*std::move(container));
        problem_ = target + ": " + container.error();
        co_return nullptr;
      }
      if ((*answer)->status != 503 || ++result_.refused > kMaxRefused) {
        const auto error = etsi014::parse_error((*answer)->body.reveal_text());
        problem_ = target + " answers " + std::to_string((*answer)->status) + (error ? ": " + error->message : "");
        co_return nullptr;
      }
      net::Timer timer(loop_.executor(), kPause);
      co_await timer.async_wait(boost::asio::as_tuple(https::kAwait));
    }
    co_return nullptr;
  }

  void compare(const etsi014::KeyContainer& given, const etsi014::KeyContainer& redeemed) {
    bool equal = given.keys.size() == redeemed.keys.size();
    for (std::size_t i = 0; equal && i < given.keys.size(); ++i) {
      equal = given.keys[i].key_id == redeemed.keys[i].key_id &&
              constant_time_equal(given.keys[i].key.reveal(), redeemed.keys[i].key.reveal());
    }
    if (!equal) problem_ = "the two KMEs delivered different keys under one key_ID";
    result_.pairs += given.keys.size();
  }

  static std::pair<double, double> quantiles(std::vector<float>& times) {
    if (times.empty()) return {0, 0};
    std::ranges::sort(times);
    return {times[times.size() / 2], times[times.size() * 99 / 100]};
  }

  const LoadOptions& options_;
  const std::string enc_keys_ = path(options_.slave.sae_id, "enc_keys");
  const std::string dec_keys_ = path(options_.master.sae_id, "dec_keys");
  net::Loop loop_;
  std::unique_ptr<https::Client> master_, slave_;
  LoadResult result_;
  std::vector<float> enc_, dec_;
  std::uint64_t begun_ = 0;
  std::size_t running_ = 0;
  std::string problem_;
};

}  // namespace

files::OrText<LoadResult> load(const LoadOptions& options) { return Load(options).run(); }

}  // namespace qsp::kme::check
