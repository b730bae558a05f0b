#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "observer.hpp"
#include "rc155/session.hpp"
#include "support/fake_provider.hpp"
#include "support/pair.hpp"

namespace qsp::rc155 {

using test::Frame;
using test::Pair;
using wire::FrameHeader;
using wire::FrameType;

inline constexpr std::array kRoles = {Role::Client, Role::Server};

inline std::unique_ptr<Session> make(Role role, crypto::Provider& provider) {
  auto session = Session::dangerous_make(role, provider);
  return session ? std::move(*session) : nullptr;
}

/// A pair of rc155 sessions over a provider of its own (the fake one, unless told otherwise).
struct Duo {
  explicit Duo(std::uint64_t seed = 1) : Duo(test::make_fake_provider(seed)) {}
  explicit Duo(std::unique_ptr<crypto::Provider> made)
      : provider(std::move(made)),
        pair(make(Role::Client, *provider), make(Role::Server, *provider)),
        observer(*provider) {}

  /// Runs the handshake, and lets the observer see it.
  Duo& established() {
    pair.run();
    EXPECT_EQ(pair.at(Role::Client).phase(), Phase::Established);
    EXPECT_EQ(pair.at(Role::Server).phase(), Phase::Established);
    watch();
    return *this;
  }
  void watch() { EXPECT_TRUE(observer.watch(pair.made(Role::Client), pair.made(Role::Server))); }

  [[nodiscard]] Session& session(Role role) { return static_cast<Session&>(pair.at(role)); }
  [[nodiscard]] Snapshot snapshot(Role role) { return session(role).snapshot(); }
  [[nodiscard]] const std::optional<Closed>& closed(Role role) const { return pair.seen(role).closed; }

  /// The header that `to` must see next, in its sender's current epoch.
  [[nodiscard]] FrameHeader next_header(Role to, FrameType type) {
    return {type, 0, observer.session_id(), pair.at(other(to)).epoch(), snapshot(to).received + 1, 0};
  }

  std::unique_ptr<crypto::Provider> provider;
  Pair pair;
  Observer observer;
};

/// The frames of `from` that are on their way.
inline std::deque<Frame>& queue(Duo& duo, Role from) { return duo.pair.in_flight(from); }

inline testing::AssertionResult closed_with(const std::optional<Closed>& closed, Reason reason) {
  if (!closed) return testing::AssertionFailure() << "still open";
  if (closed->reason == reason) return testing::AssertionSuccess();
  return testing::AssertionFailure() << name(closed->reason) << " (" << closed->text << ")";
}

/// Called before a frame is handed over: who sent it, how many of that end's frames were handed over before.
using BeforeDelivery = std::function<void(Role from, std::size_t index)>;

/// A session with every kind of frame: hellos, data both ways, a rekey with data in flight, data after it, CLOSE.
inline void run_scenario(Duo& duo, const BeforeDelivery& before = {}) {
  std::size_t delivered[2] = {0, 0};
  const auto deliver_all = [&] {
    for (bool moved = true; moved;) {
      moved = false;
      for (const Role from : kRoles) {
        if (duo.pair.in_flight(from).empty()) continue;
        if (before) before(from, delivered[static_cast<std::size_t>(from)]);
        ++delivered[static_cast<std::size_t>(from)];
        moved = duo.pair.deliver(from) || moved;
      }
    }
  };
  deliver_all();
  (void)duo.pair.send(Role::Client, "ping from the client");
  (void)duo.pair.send(Role::Server, "pong from the server");
  deliver_all();
  (void)duo.pair.send(Role::Client, "before the rekey, client");
  (void)duo.pair.rekey(Role::Server);
  (void)duo.pair.send(Role::Server, "under the old epoch, server");
  (void)duo.pair.send(Role::Client, "still in flight, client");
  deliver_all();
  (void)duo.pair.send(Role::Server, "under the new epoch, server");
  (void)duo.pair.send(Role::Client, "under the new epoch, client");
  deliver_all();
  duo.pair.close(Role::Client, Reason::Normal, "bye");
  deliver_all();
}

/// What the scenario delivers to an end, untouched.
inline const std::vector<std::string>& scenario_data(Role to) {
  static const std::vector<std::string> client = {"pong from the server", "under the old epoch, server",
                                                  "under the new epoch, server"};
  static const std::vector<std::string> server = {"ping from the client", "before the rekey, client",
                                                  "still in flight, client", "under the new epoch, client"};
  return to == Role::Client ? client : server;
}

/// Data delivered is the first so many pieces of what was sent: nothing altered, repeated, skipped or reordered.
inline testing::AssertionResult only_genuine_data(const Duo& duo, Role to) {
  const auto& got = duo.pair.seen(to).data;
  const auto& sent = scenario_data(to);
  if (got.size() > sent.size()) return testing::AssertionFailure() << "more data than was sent";
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (as_text(got[i]) != sent[i]) return testing::AssertionFailure() << "piece " << i << ": " << as_text(got[i]);
  }
  return testing::AssertionSuccess();
}

/// The reasons with which an end may answer damaged traffic (SPEC_155 §8).
inline bool is_fault(Reason reason) {
  return reason == Reason::ProtocolError || reason == Reason::AeadDecryptFailed || reason == Reason::EpochMismatch ||
         reason == Reason::RekeyFailed;
}

}  // namespace qsp::rc155
