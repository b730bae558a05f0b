#include "rc155/attack/fuzz.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/role.hpp"
#include "qsp/endpoint.hpp"
#include "rc155/attack/model.hpp"
#include "rc155/session.hpp"
#include "wire/cursor.hpp"
#include "wire/frame.hpp"

namespace qsp::rc155::attack {
namespace {

using wire::FrameType;

constexpr std::array kRoles = {Role::Client, Role::Server};
constexpr std::size_t index(Role role) noexcept { return role == Role::Client ? 0 : 1; }

std::string describe(const rc155::Snapshot& snapshot) {
  constexpr std::array<std::string_view, 4> kStates = {"Handshake", "Established", "Rekey", "Closed"};
  std::string text(kStates[static_cast<std::size_t>(snapshot.state)]);
  text.append(" epoch ").append(std::to_string(snapshot.epoch));
  text.append(" previous ").append(std::to_string(snapshot.previous_epoch));
  text.append(" sent ").append(std::to_string(snapshot.sent));
  return text.append(" received ").append(std::to_string(snapshot.received));
}

/// One end: the session under test, what was delivered to it, what is on its way from it, and its model.
struct End {
  std::unique_ptr<rc155::Session> session;
  Model model{Role::Client, 0};  ///< replaced once the session has its id
  std::deque<Frame> in_flight;   ///< from this end
  Frame unread;                  ///< delivered to this end, not yet handled
  std::optional<Reason> closed;
};

/// One pair of sessions, from handshake to close. A failed check is kept as text and ends the run.
class Case {
 public:
  Case(crypto::Provider& provider, Prng& prng, RekeyFuzzResult& result) noexcept
      : provider_(provider), prng_(prng), result_(result), attacker_(provider) {}

  bool start();
  void step();
  [[nodiscard]] bool over() const noexcept { return over_; }
  [[nodiscard]] bool failed() const noexcept { return !result_.failure.empty(); }

 private:
  End& end(Role role) noexcept { return ends_[index(role)]; }

  void act();
  void send(Role from);
  void request_rekey(Role who);
  void mutate();
  void deliver(Role from, std::size_t frames);
  void feed(Role to, Bytes bytes);
  bool handle(Role to);
  void settle();
  void collect(Role who);
  void check_events(Role to, const Verdict& verdict, std::uint32_t epoch);
  void check_state(Role who, std::string_view after);
  void check_pair();
  void require(bool holds, Role who, std::string_view what);
  void observe(std::uint64_t value) noexcept { result_.digest = mix64(result_.digest ^ value); }

  crypto::Provider& provider_;
  Prng& prng_;
  RekeyFuzzResult& result_;
  Attacker attacker_;
  std::array<End, 2> ends_;
  bool over_ = false;
};

void Case::require(bool holds, Role who, std::string_view what) {
  if (holds || failed()) return;
  result_.failure.append(who == Role::Client ? "client: " : "server: ").append(what);
}

bool Case::start() {
  for (const Role role : kRoles) {
    auto session = rc155::Session::dangerous_make(role, provider_);
    if (!session) {
      require(false, role, session.error().where);
      return false;
    }
    end(role).session = std::move(*session);
  }
  // The handshake is genuine: what is fuzzed is what follows it. An observer learns all keys from it.
  Frame hello;
  for (const Role from : kRoles) {
    Frame bytes(128);
    bytes.resize(end(from).session->poll_transmit(bytes));
    hello.insert(hello.end(), bytes.begin(), bytes.end());
    end(other(from)).session->handle_bytes(bytes, {});
    while (end(other(from)).session->poll_event()) {
    }
  }
  const std::uint64_t id = end(Role::Server).session->session_id();
  for (const Role role : kRoles) {
    end(role).model = Model(role, id);
    check_state(role, "handshake");
  }
  require(attacker_.watch_handshake(hello), Role::Server, "the attacker cannot read the hellos");
  return !failed();
}

void Case::step() {
  act();
  if (prng_.chance(result_.mutate_prob)) mutate();
  for (const Role from : kRoles) {
    const std::size_t waiting = end(from).in_flight.size();
    deliver(from, waiting > 16 || prng_.chance(0.5) ? waiting : prng_.below(waiting + 1));
  }
  settle();
  check_pair();
}

void Case::act() {
  const std::uint64_t choice = prng_.below(512);
  if (choice == 0) {
    const Role who = prng_.role();
    end(who).session->close(Reason::Normal, "fuzz");
    end(who).model.closed_by(Reason::Normal);
    collect(who);
  } else if (choice < 160) {
    request_rekey(choice < 8 ? Role::Client : Role::Server);
  } else {
    send(prng_.role());
    if (prng_.chance(0.3)) send(prng_.role());
  }
}

void Case::send(Role from) {
  End& sender = end(from);
  const std::size_t size = prng_.chance(0.002)  ? Endpoint::kMaxPlaintext - prng_.below(3)
                           : prng_.chance(0.05) ? prng_.below(2000)
                                                : prng_.below(48);
  Frame frame(rc155::kFrameHead + size + rc155::kFrameTail);
  const MutableBytes plaintext = MutableBytes(frame).subspan(rc155::kFrameHead, size);
  prng_.fill(plaintext);
  Made made{.bytes = {}, .plaintext = Frame(plaintext.begin(), plaintext.end())};
  const bool sealed = sender.session->seal_app_data(frame, size, false, {}).has_value();
  require(sealed == !sender.closed, from, "seal_app_data accepted or refused against the model");
  if (!sealed) return;
  made.bytes = frame;
  sender.model.made(std::move(made));
  sender.in_flight.push_back(std::move(frame));
  check_state(from, "seal_app_data");
}

void Case::request_rekey(Role who) {
  const bool sent = end(who).session->request_rekey({}).has_value();
  require(sent == end(who).model.request_rekey(), who, "request_rekey accepted or refused against the model");
  collect(who);
}

/// Takes control frames off an end, tells its model and the attacker, and compares the state.
void Case::collect(Role who) {
  End& maker = end(who);
  std::array<std::uint8_t, 2048> bytes;
  const std::size_t size = maker.session->poll_transmit(bytes);
  for (MutableBytes rest = MutableBytes(bytes).first(size); !rest.empty();) {
    const auto decoded = wire::decode_frame(rest, [](const wire::FrameHeader&) { return Result<void>{}; });
    const auto* frame = decoded ? std::get_if<wire::FrameView>(&*decoded) : nullptr;
    require(frame != nullptr, who, "poll_transmit gave half a frame");
    if (frame == nullptr) return;
    maker.in_flight.emplace_back(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(frame->size()));
    maker.model.made({.bytes = maker.in_flight.back(), .plaintext = {}});
    if (frame->header.type == FrameType::Rekey && who == Role::Server) {
      require(attacker_.watch_init(maker.in_flight.back()), who, "the attacker cannot read an INIT");
    }
    rest = rest.subspan(frame->size());
  }
  while (auto event = maker.session->poll_event()) {
    if (const auto* closed = std::get_if<Closed>(&*event)) maker.closed = closed->reason;
  }
  check_state(who, "an action of its own");
}

void Case::mutate() {
  const Role from = end(Role::Client).in_flight.empty() ? Role::Server : prng_.role();
  auto& queue = end(from).in_flight;
  if (queue.empty()) return;
  const std::size_t at = prng_.below(queue.size());
  const bool forged = prng_.chance(0.15) && attacker_.forge(prng_, from, queue[at]);
  if (!forged) damage(prng_, queue, at, end(other(from)).in_flight);
  ++result_.mutations;
}

void Case::deliver(Role from, std::size_t frames) {
  for (; frames > 0 && !end(from).in_flight.empty() && !failed(); --frames) {
    const Frame frame = std::move(end(from).in_flight.front());
    end(from).in_flight.pop_front();
    // Whole, or in two pieces.
    const std::size_t split = prng_.chance(0.2) ? prng_.below(frame.size() + 1) : frame.size();
    feed(other(from), Bytes(frame).first(split));
    feed(other(from), Bytes(frame).subspan(split));
  }
}

void Case::feed(Role to, Bytes bytes) {
  Frame& unread = end(to).unread;
  unread.insert(unread.end(), bytes.begin(), bytes.end());
  while (!unread.empty() && !failed() && handle(to)) {
  }
}

/// One call of handle_bytes, compared with the model's verdict. False: the frame is not whole.
bool Case::handle(Role to) {
  End& receiver = end(to);
  const std::uint32_t epoch_before = receiver.model.snapshot().epoch;
  const Verdict verdict = receiver.model.judge(receiver.unread, end(other(to)).model, attacker_);
  const std::size_t used = receiver.session->handle_bytes(receiver.unread, {});
  observe(used);
  require(used <= receiver.unread.size(), to, "used more bytes than there were");
  switch (verdict.kind) {
    case Verdict::Kind::Wait:
      require(used == 0, to, "took a frame that is not whole");
      break;
    case Verdict::Kind::Swallow:
      require(used == receiver.unread.size(), to, "closed, but left bytes");
      break;
    case Verdict::Kind::Accept:
      require(used == verdict.size, to, "did not take a genuine frame");
      break;
    case Verdict::Kind::Refuse:
      require(used > 0, to, verdict.what);
      break;
  }
  if (verdict.kind == Verdict::Kind::Accept) ++result_.frames;
  check_events(to, verdict, epoch_before);
  collect(to);
  receiver.unread.erase(receiver.unread.begin(),
                        receiver.unread.begin() + static_cast<std::ptrdiff_t>(std::min(used, receiver.unread.size())));
  return used != 0;
}

/// The events of one handled frame are exactly those of the verdict. `epoch`: before the frame.
void Case::check_events(Role to, const Verdict& verdict, std::uint32_t epoch) {
  End& receiver = end(to);
  bool got_data = false;
  const auto expect = [&](bool holds, std::string_view what) {
    if (!holds) require(false, to, std::string(verdict.what).append(": ").append(what));
  };
  while (auto event = receiver.session->poll_event()) {
    if (auto* data = std::get_if<AppData>(&*event)) {
      const bool lawful = verdict.kind == Verdict::Kind::Accept && verdict.type == FrameType::AppData && !got_data;
      expect(lawful, "delivered data of a frame that is not genuine");
      expect(lawful && std::ranges::equal(data->data, verdict.plaintext), "delivered altered data");
      got_data = true;
      for (const std::uint8_t byte : data->data.first(std::min<std::size_t>(8, data->data.size()))) observe(byte);
    } else if (const auto* changed = std::get_if<EpochChanged>(&*event)) {
      expect(changed->epoch == epoch + 1, "EpochChanged skips or repeats");
      epoch = changed->epoch;
      if (to == Role::Server) ++result_.rekeys;
    } else if (const auto* closed = std::get_if<Closed>(&*event)) {
      expect(!receiver.closed, "Closed twice");
      receiver.closed = closed->reason;
      expect(closed->by_peer == verdict.by_peer, "Closed names the wrong end");
    }
  }
  if (verdict.kind == Verdict::Kind::Accept && verdict.type == FrameType::AppData) {
    expect(got_data, "did not deliver genuine data");
  }
  expect(epoch == receiver.model.snapshot().epoch, "EpochChanged against the model");
  const auto reason = receiver.model.closed();
  if (receiver.closed != reason) {
    std::string what = "expected ";
    what.append(reason ? name(*reason) : "open").append(", got ");
    expect(false, what.append(receiver.closed ? name(*receiver.closed) : "open"));
  }
}

void Case::check_state(Role who, std::string_view after) {
  const rc155::Snapshot found = end(who).session->snapshot();
  for (const std::uint64_t value :
       {static_cast<std::uint64_t>(found.state), std::uint64_t{found.epoch}, std::uint64_t{found.previous_epoch},
        std::uint64_t{found.sent}, std::uint64_t{found.received}}) {
    observe(value);
  }
  const rc155::Snapshot expected = end(who).model.snapshot();
  if (found == expected) return;
  std::string what = "after ";
  require(false, who, what.append(after) + ": expected " + describe(expected) + ", got " + describe(found));
}

/// Bytes that can never become a frame, and streams whose writer is gone, end here.
void Case::settle() {
  for (const Role to : kRoles) {
    End& receiver = end(to);
    const bool writer_gone = end(other(to)).closed.has_value();
    if (writer_gone) deliver(other(to), end(other(to)).in_flight.size());
    const bool stuck = !receiver.unread.empty() && end(other(to)).in_flight.empty();
    if (!writer_gone && !stuck) continue;
    if (!receiver.closed) {
      receiver.session->handle_end_of_stream({});
      receiver.model.stream_ended();
      collect(to);
      require(receiver.closed == Reason::ProtocolError, to, "end of stream without CLOSE is not truncation");
    }
  }
  over_ = end(Role::Client).closed && end(Role::Server).closed;
  if (over_) ++result_.closed_cases;
}

/// What must hold of any two ends, whatever the model says.
void Case::check_pair() {
  const rc155::Snapshot client = end(Role::Client).session->snapshot();
  const rc155::Snapshot server = end(Role::Server).session->snapshot();
  const bool near = client.epoch == server.epoch || client.epoch == server.epoch + 1;
  require(near, Role::Client, "epochs of the ends are further apart than one");
  const bool ahead = client.epoch != server.epoch;
  require(!ahead || server.state == rc155::State::Rekey || server.state == rc155::State::Closed, Role::Server,
          "the client is ahead of a server without a rekey in flight");
}

}  // namespace

RekeyFuzzResult fuzz_rekey(crypto::Provider& provider, const RekeyFuzzParameters& parameters,
                           const std::function<bool(std::uint64_t done_cases)>& progress) {
  RekeyFuzzResult result{.cases = 0,
                         .steps = parameters.steps,
                         .mutate_prob = parameters.mutate_prob,
                         .seed = parameters.seed,
                         .ok = true,
                         .failure = {},
                         .mutations = 0,
                         .rekeys = 0,
                         .frames = 0,
                         .closed_cases = 0,
                         .digest = mix64(parameters.seed)};
  while (result.cases < parameters.cases) {
    // A case depends on its own number alone, so one can be repeated without those before it.
    Prng prng(parameters.seed, result.cases);
    SeededProvider seeded(provider, prng.next());
    std::unique_ptr<Case> pair;
    for (std::uint64_t step = 0; step < parameters.steps; ++step) {
      if (!pair || pair->over()) {
        pair = std::make_unique<Case>(seeded, prng, result);
        if (pair->start()) pair->step();
      } else {
        pair->step();
      }
      if (result.failure.empty()) continue;
      result.ok = false;
      result.failure =
          "case " + std::to_string(result.cases) + ", step " + std::to_string(step) + ": " + result.failure;
      return result;
    }
    ++result.cases;
    if (progress && !progress(result.cases)) break;
  }
  return result;
}

}  // namespace qsp::rc155::attack
