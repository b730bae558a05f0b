#include "net/happy_eyeballs.hpp"
#include "net/outcome.hpp"
#include "net/own_socket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace qsp::net {
namespace {

using Resolver = asio::ip::basic_resolver<tcp, Executor>;

void connect_socket(Socket& socket, const tcp::endpoint& address, std::function<void(const error_code&)> done) {
  socket.async_connect(address, std::move(done));
}

std::string explain(const error_code& why) {
  if (why == asio::error::connection_refused) return "refused, nothing listens there";
  if (why == asio::error::timed_out) return "no answer";
  if (why == asio::error::network_unreachable || why == asio::error::host_unreachable) return "no route";
  return why.message();
}

}  // namespace

/// What the handlers of an attempt may outlive the dial with.
struct HappyEyeballs::Race {
  Race(const Executor& at, const DialLimits& bounds, Connect&& how)
      : executor(at), limits(bounds), connect(std::move(how)), resolver(at), timer(at) {}

  struct Attempt {
    Socket socket;
    tcp::endpoint address;
    Instant deadline;
    bool over = false;
  };

  Executor executor;
  DialLimits limits;
  Connect connect;
  Resolver resolver;
  Timer timer;  ///< wakes the dial: at its next deadline, or when an attempt has ended
  std::vector<tcp::endpoint> addresses;
  std::vector<std::unique_ptr<Attempt>> attempts;  ///< one for each of the first addresses
  std::vector<Unreached> tried;
  Instant deadline{};
  Instant next_start{};
  std::optional<std::size_t> winner;
  bool over = false;  ///< nobody waits any more

  [[nodiscard]] bool running() const {
    return std::ranges::any_of(attempts, [](const auto& attempt) { return !attempt->over; });
  }
};

HappyEyeballs::HappyEyeballs(const Executor& executor, const DialLimits& limits, Connect connect)
    : race_(std::make_shared<Race>(executor, limits, connect ? std::move(connect) : Connect(connect_socket))) {
  race_->deadline = Loop::now() + limits.overall;
}

HappyEyeballs::~HappyEyeballs() { race_->over = true; }

void HappyEyeballs::cancel() {
  race_->over = true;
  race_->resolver.cancel();
  race_->timer.cancel();
}

std::vector<tcp::endpoint> interleave(const std::vector<tcp::endpoint>& addresses) {
  std::vector<tcp::endpoint> same, other, mixed;
  for (const tcp::endpoint& each : addresses) {
    (each.protocol() == addresses.front().protocol() ? same : other).push_back(each);
  }
  for (std::size_t i = 0; i < std::max(same.size(), other.size()); ++i) {
    if (i < same.size()) mixed.push_back(same[i]);
    if (i < other.size()) mixed.push_back(other[i]);
  }
  return mixed;
}

std::string describe(const std::vector<Unreached>& tried) {
  std::string text;
  for (const Unreached& each : tried) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", to_string(each.address), explain(each.why));
  }
  return text;
}

asio::awaitable<Result<Dialled, DialFailure>> HappyEyeballs::run(Address address) {
  using Outcome = Result<Dialled, DialFailure>;
  const std::shared_ptr<Race> race = race_;
  error_code no_literal;
  const asio::ip::address literal = asio::ip::make_address(address.host, no_literal);
  std::vector<tcp::endpoint> addresses;
  if (!no_literal) {
    addresses.emplace_back(literal, address.port);
  } else {
    race->timer.expires_at(Loop::time_point(race->deadline));
    race->timer.async_wait([race](const error_code& cancelled) {
      if (!cancelled) race->resolver.cancel();
    });
    const std::string port = std::to_string(address.port);
    auto resolving = race->resolver.async_resolve(address.host, port, Resolver::numeric_service, kOutcome);
    const auto [unresolved, found] = co_await std::move(resolving);
    if (unresolved || race->over) {
      race->timer.cancel();
      const bool late = unresolved == asio::error::operation_aborted && !race->over;
      co_return Outcome(std::unexpect,
                        DialFailure{.unresolved = late ? error_code(asio::error::timed_out) : unresolved, .tried = {}});
    }
    for (const auto& entry : found) addresses.push_back(entry.endpoint());
  }
  auto racing = run(std::move(addresses));
  co_return co_await std::move(racing);
}

asio::awaitable<Result<Dialled, DialFailure>> HappyEyeballs::run(std::vector<tcp::endpoint> addresses) {
  using Outcome = Result<Dialled, DialFailure>;
  const std::shared_ptr<Race> race = race_;
  race->addresses = interleave(addresses);
  if (race->addresses.size() > race->limits.addresses) race->addresses.resize(race->limits.addresses);
  auto racing = this->race();
  co_await std::move(racing);
  const bool cancelled = std::exchange(race->over, true);
  std::optional<Dialled> won;
  for (std::size_t i = 0; i < race->attempts.size(); ++i) {
    Race::Attempt& attempt = *race->attempts[i];
    if (race->winner == i) {
      won.emplace(Dialled{.socket = std::move(attempt.socket), .peer = attempt.address});
    } else {
      error_code ignored;  // it is closed, whatever it says
      attempt.socket.close(ignored);
    }
  }
  if (won && !cancelled) co_return Outcome(std::move(*won));
  co_return Outcome(std::unexpect, DialFailure{.unresolved = {}, .tried = std::move(race->tried)});
}

asio::awaitable<void> HappyEyeballs::race() {
  const std::shared_ptr<Race> race = race_;
  while (!race->winner && !race->over) {
    const Instant now = Loop::now();
    expire(now);
    const bool more = race->attempts.size() < race->addresses.size() && now < race->deadline;
    if (more && (now >= race->next_start || !race->running())) {
      start_next();
      continue;
    }
    if (!more && !race->running()) break;
    race->timer.expires_at(Loop::time_point(wake_at()));
    auto waiting = race->timer.async_wait(kOutcome);
    co_await std::move(waiting);
  }
}

/// When something has to happen though no attempt ends.
Instant HappyEyeballs::wake_at() const {
  Instant at = race_->deadline;
  if (race_->attempts.size() < race_->addresses.size()) at = std::min(at, race_->next_start);
  for (const auto& attempt : race_->attempts) {
    if (!attempt->over) at = std::min(at, attempt->deadline);
  }
  return at;
}

void HappyEyeballs::start_next() {
  Race& race = *race_;
  const std::size_t index = race.attempts.size();
  const tcp::endpoint address = race.addresses[index];
  const Instant now = Loop::now();
  race.next_start = now + race.limits.delay;
  const Instant deadline = race.addresses.size() == 1 ? race.deadline : std::min(race.deadline, now + race.limits.each);
  race.attempts.push_back(std::unique_ptr<Race::Attempt>(
      new Race::Attempt{.socket = Socket(race.executor), .address = address, .deadline = deadline}));
  error_code failed;
  race.attempts.back()->socket.open(address.protocol(), failed);
  if (failed) return answered(index, failed);
  keep_from_children(race.attempts.back()->socket);
  race.connect(race.attempts.back()->socket, address, [this, kept = race_, index](const error_code& why) {
    if (!kept->over && !kept->winner) answered(index, why);
  });
}

void HappyEyeballs::answered(std::size_t attempt, const error_code& failed) {
  Race& race = *race_;
  Race::Attempt& ended = *race.attempts[attempt];
  if (std::exchange(ended.over, true)) return;
  if (failed) {
    race.tried.push_back({.address = ended.address, .why = failed});
    race.next_start = Loop::now();  // RFC 8305 §5: a failure is not waited after
  } else {
    race.winner = attempt;
  }
  race.timer.cancel();
}

/// Gives up the attempts whose time is over.
void HappyEyeballs::expire(Instant now) {
  for (const auto& attempt : race_->attempts) {
    if (attempt->over || now < attempt->deadline) continue;
    attempt->over = true;
    race_->tried.push_back({.address = attempt->address, .why = asio::error::timed_out});
    error_code ignored;  // it is closed, whatever it says
    attempt->socket.close(ignored);
  }
}

}  // namespace qsp::net
