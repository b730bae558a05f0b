// A network that splits, loses, repeats, reorders, reflects and splices: it can end a session and nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "channel/relay.hpp"

namespace qsp::test {
namespace {

constexpr std::array kRoles{Role::Client, Role::Server};
using Streams = std::array<std::string, 2>;

std::string& of(Streams& streams, Role role) { return streams[static_cast<std::size_t>(role)]; }

/// A session with data both ways, two rekeys, END both ways: what a network meets in one life. `step` is called before
/// each of its twelve turns and may harm what is in flight.
void live(World& world, Pair& pair, Streams& sent, const std::function<void()>& step) {
  const auto turn = [&] {
    step();
    world.run_with_keys(pair);
  };
  const auto say = [&](Role role, std::string text, bool end = false) {
    if (pair.at(role).phase() == Phase::Established && pair.send(role, as_bytes(text), end)) of(sent, role) += text;
  };
  for (int i = 0; i < 4; ++i) {  // the handshake, message by message, so that every one meets the network
    step();
    for (const Role role : kRoles) pair.deliver(role);
    static_cast<void>(world.answer(pair, Role::Client) || world.answer(pair, Role::Server));
  }
  turn();
  for (const std::string line : {"one ", "two ", "three "}) {
    for (const Role role : kRoles) {
      say(role, line);
      say(role, line + "again ");
    }
    step();
    static_cast<void>(pair.rekey(line == "two " ? Role::Client : Role::Server));
    turn();
  }
  for (const Role role : kRoles) say(role, "last", true);
  turn();
}

/// Everything that an application can see of one end.
struct Story {
  std::string data;
  std::vector<std::uint32_t> epochs;
  std::optional<std::uint64_t> session_id;
  std::optional<Reason> reason;
  bool end = false, truncated = false;
  bool operator==(const Story&) const = default;
};

std::array<Story, 2> story(Pair& pair) {
  std::array<Story, 2> told;
  for (const Role role : kRoles) {
    const Seen& seen = pair.seen(role);
    told[static_cast<std::size_t>(role)] = {.data = std::string(as_text(seen.received())),
                                            .epochs = seen.epochs,
                                            .session_id = seen.session_id,
                                            .reason = seen.closed ? std::optional(seen.closed->reason) : std::nullopt,
                                            .end = seen.end,
                                            .truncated = seen.closed && seen.closed->truncated};
  }
  return told;
}

class Splits : public testing::TestWithParam<QkdPolicy> {};

TEST_P(Splits, however_the_stream_is_split_the_events_are_the_same) {
  std::array<Story, 2> whole;
  for (const std::size_t size : {std::size_t{1} << 20, std::size_t{1}, std::size_t{2}, std::size_t{21}, std::size_t{22},
                                 std::size_t{23}, std::size_t{1'000}}) {
    World world(GetParam());
    const auto pair = world.pair();
    pair->split_every(size);
    Streams sent;
    live(world, *pair, sent, [] {});
    EXPECT_EQ(pair->defect(), "");
    if (whole[0].data.empty()) {
      whole = story(*pair);
      ASSERT_EQ(whole[0].reason, Reason::Normal);
      ASSERT_EQ(whole[0].epochs, (std::vector<std::uint32_t>{2, 3, 4}));
    }
    EXPECT_EQ(story(*pair), whole) << "split every " << size;
  }
}

// SPEC §2.5.
TEST_P(Splits, frames_that_arrive_together_in_random_pieces_are_told_apart) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 random(seed);
    World world(GetParam());
    const auto pair = world.pair();
    Streams sent;
    live(world, *pair, sent, [&] {
      pair->split_every(1 + random() % 60);
      for (const Role role : kRoles) {  // glue all that is in flight into one, so that pieces span frames
        auto& queue = pair->in_flight(role);
        if (queue.size() < 2) continue;
        Frame glued;
        for (const Frame& frame : queue) glued.insert(glued.end(), frame.begin(), frame.end());
        queue.assign(1, glued);
      }
    });
    EXPECT_EQ(pair->defect(), "") << "seed " << seed;
    for (const Role role : kRoles) {
      EXPECT_EQ(as_text(pair->seen(other(role)).received()), of(sent, role)) << "seed " << seed;
      ASSERT_TRUE(pair->seen(role).closed);
      EXPECT_EQ(pair->seen(role).closed->reason, Reason::Normal) << "seed " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Every, Splits, testing::Values(QkdPolicy::None, QkdPolicy::Required));

// SPEC §8.2.
TEST(Loss, a_connection_lost_at_any_byte_of_data_is_reported_as_truncation_unless_end_arrived) {
  World world;
  const std::array<std::string, 3> lines{"first", "second", "third"};
  std::size_t total = 0;
  for (const std::string& line : lines) total += line.size() + 22 + 16;
  for (const Role from : kRoles) {
    for (std::size_t length = 0; length <= total; ++length) {
      const auto pair = world.established();
      for (const std::string& line : lines) ASSERT_TRUE(pair->send(from, as_bytes(line), line == "third"));
      pair->cut(from, length);
      const Seen& seen = pair->seen(other(from));
      ASSERT_TRUE(seen.closed);
      std::string expected;
      std::size_t whole = 0;
      for (const std::string& line : lines) {
        whole += line.size() + 22 + 16;
        if (whole <= length) expected += line;
      }
      EXPECT_EQ(as_text(seen.received()), expected);
      EXPECT_EQ(seen.closed->truncated, length < total);
      EXPECT_EQ(seen.end, length == total);
    }
  }
}

// The attacker

/// Harms what is in flight: one deed in most turns, chosen by `random`.
class Attacker {
 public:
  Attacker(std::uint64_t seed, Pair& pair, std::vector<std::vector<Frame>> library)
      : random_(seed), pair_(pair), library_(std::move(library)) {}

  void act() {
    if (pick(3) != 0) return;
    const Role from = pick(2) == 0 ? Role::Client : Role::Server;
    auto& queue = pair_.in_flight(from);
    switch (pick(8)) {
      case 0:
        return flip(queue);
      case 1:
        return drop(queue);
      case 2:
        return repeat(queue);
      case 3:
        return swap(queue);
      case 4:
        return reflect(from, queue);
      case 5:
        return splice(queue);
      case 6:
        return insert(queue);
      default:
        return retell(from, queue);
    }
  }
  /// True once the stream is not what an end wrote.
  [[nodiscard]] bool harmed() const noexcept { return harmed_; }

 private:
  using Queue = std::deque<Frame>;
  std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random_() % below); }
  Frame& any(Queue& queue) { return queue[pick(queue.size())]; }

  void flip(Queue& queue) {
    if (queue.empty()) return;
    Frame& frame = any(queue);
    frame[pick(frame.size())] ^= static_cast<std::uint8_t>(1 << pick(8));
    harmed_ = true;
  }
  void drop(Queue& queue) {
    if (queue.empty()) return;
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(pick(queue.size())));
    harmed_ = true;
  }
  void repeat(Queue& queue) {
    if (queue.empty()) return;
    queue.push_front(queue.front());
    harmed_ = true;
  }
  void swap(Queue& queue) {
    if (queue.size() < 2) return;
    std::swap(queue[0], queue[1]);
    harmed_ = true;
  }
  /// A frame goes back to who made it.
  void reflect(Role from, Queue& queue) {
    if (queue.empty()) return;
    pair_.in_flight(other(from)).push_front(any(queue));
    harmed_ = true;
  }
  /// A frame of another session of the same parties, at the place where that session had it.
  void splice(Queue& queue) {
    if (queue.empty() || library_.empty()) return;
    const Frame& mine = queue.front();
    const auto& theirs = library_[pick(library_.size())];
    const auto same_place = std::ranges::find_if(theirs, [&](const Frame& frame) {
      return frame != mine && std::equal(frame.begin() + 14, frame.begin() + 18, mine.begin() + 14);
    });
    if (same_place == theirs.end()) return;
    queue.front() = *same_place;
    harmed_ = true;
  }
  void insert(Queue& queue) {
    if (library_.empty()) return;
    const auto& theirs = library_[pick(library_.size())];
    queue.push_front(theirs[pick(theirs.size())]);
    harmed_ = true;
  }
  /// A frame of this session, again.
  void retell(Role from, Queue& queue) {
    const auto& made = pair_.made(from);
    if (made.empty()) return;
    queue.push_front(made[pick(made.size())]);
    harmed_ = true;
  }

  std::mt19937_64 random_;
  Pair& pair_;
  std::vector<std::vector<Frame>> library_;
  bool harmed_ = false;
};

/// Both ends' keys of epoch 1 and what they say of the session.
void expect_agreement(Pair& pair) {
  Endpoint& client = channel(pair, Role::Client);
  Endpoint& server = channel(pair, Role::Server);
  if (client.phase() != Phase::Established || server.phase() != Phase::Established) return;
  EXPECT_EQ(client.session_id(), server.session_id());
  const ChannelStatus a = client.status(), b = server.status();
  EXPECT_EQ(a.kem, b.kem);
  EXPECT_EQ(a.aead, b.aead);
  EXPECT_EQ(a.qkd_mixed, b.qkd_mixed);
  EXPECT_EQ(a.application, b.application);
  EXPECT_EQ(a.local_signature, b.peer_signature);
  const auto theirs = server.export_key("agree", {}, 32), ours = client.export_key("agree", {}, 32);
  ASSERT_TRUE(ours && theirs);
  EXPECT_TRUE(ours->epoch != theirs->epoch || constant_time_equal(ours->key.reveal(), theirs->key.reveal()));
}

class Attack : public testing::TestWithParam<QkdPolicy> {};

TEST_P(Attack, no_attack_delivers_a_wrong_byte_or_makes_the_ends_disagree) {
  constexpr std::uint64_t kRounds = 1'200;
  std::size_t harmed = 0, finished = 0;
  std::vector<std::vector<Frame>> library[2];
  World world(GetParam());
  for (std::uint64_t seed = 1; seed <= kRounds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto pair = world.pair();
    // Frames of earlier sessions, of either direction: the attacker does not care who made them.
    std::vector<std::vector<Frame>> known;
    for (const auto& side : library) known.insert(known.end(), side.begin(), side.end());
    Attacker attacker(seed, *pair, std::move(known));
    Streams sent;
    live(world, *pair, sent, [&] {
      attacker.act();
      expect_agreement(*pair);
    });
    // Two deeds can undo each other, and the session then only began late.
    for (const Role role : kRoles) {
      if (pair->send(role, as_bytes("late"), true)) of(sent, role) += "late";
    }
    settle(world, *pair);
    for (const Role role : kRoles) {
      const Seen& seen = pair->seen(role);
      const std::string got(as_text(seen.received()));
      EXPECT_TRUE(of(sent, other(role)).starts_with(got)) << got;
      ASSERT_TRUE(seen.closed);
      const Reason reason = seen.closed->reason;
      EXPECT_TRUE(reason != Reason::InternalError && reason != Reason::Limit) << name(reason);
      // Data is called complete only if it is.
      EXPECT_TRUE(seen.closed->truncated || !seen.session_id || got == of(sent, other(role)));
      EXPECT_FALSE(reason == Reason::Normal && seen.closed->truncated);
    }
    const auto& [client, server] = std::pair(pair->seen(Role::Client), pair->seen(Role::Server));
    EXPECT_TRUE(!client.session_id || !server.session_id || client.session_id == server.session_id);
    EXPECT_EQ(pair->defect(), "");
    harmed += attacker.harmed() ? 1 : 0;
    finished += client.closed->reason == Reason::Normal ? 1 : 0;
    if (seed <= 3) {
      for (const Role role : kRoles) library[static_cast<std::size_t>(role)].push_back(pair->made(role));
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(harmed, kRounds / 2);
  EXPECT_GT(finished, 0U) << "the harness breaks every session by itself";
}

INSTANTIATE_TEST_SUITE_P(Every, Attack, testing::Values(QkdPolicy::None, QkdPolicy::Required));

TEST(Replay, every_frame_of_an_earlier_session_is_refused_in_every_later_one) {
  World world;
  const auto earlier = world.established();
  for (const Role role : kRoles) ASSERT_TRUE(earlier->send(role, "secret"));
  earlier->run();
  for (const Role from : kRoles) {
    for (const Frame& frame : earlier->made(from)) {
      const auto pair = world.established();
      pair->inject(other(from), frame);
      ASSERT_TRUE(pair->seen(other(from)).closed);
      EXPECT_EQ(pair->seen(other(from)).closed->reason, Reason::ProtocolError);
      EXPECT_TRUE(pair->seen(other(from)).data.empty());
    }
  }
}

TEST(Replay, a_whole_recorded_client_is_nobody_to_a_new_server) {
  World world(QkdPolicy::Required);
  const auto earlier = world.established();
  ASSERT_TRUE(earlier->send(Role::Client, "pay"));
  earlier->run();
  const auto pair = world.pair();
  pair->in_flight(Role::Client).clear();
  for (const Frame& frame : earlier->made(Role::Client)) pair->inject(Role::Server, frame);
  EXPECT_FALSE(pair->seen(Role::Server).session_id);
  EXPECT_TRUE(pair->seen(Role::Server).data.empty());
  EXPECT_TRUE(pair->seen(Role::Server).qkd.empty()) << "a QKD key was asked for";
  ASSERT_TRUE(pair->seen(Role::Server).closed);
}

TEST(Replay, a_whole_recorded_server_is_nobody_to_a_new_client) {
  World world(QkdPolicy::Required);
  const auto earlier = world.established();
  const auto pair = world.pair();
  for (const Frame& frame : earlier->made(Role::Server)) pair->inject(Role::Client, frame);
  EXPECT_FALSE(pair->seen(Role::Client).session_id);
  EXPECT_TRUE(pair->seen(Role::Client).qkd.empty()) << "a QKD key was asked for";
  ASSERT_TRUE(pair->seen(Role::Client).closed);
}

TEST(Reflection, a_frame_sent_back_to_its_sender_is_refused) {
  World world;
  for (const Role from : kRoles) {
    const auto pair = world.established();
    // The sender's count and its peer's are the same for this frame: only the key of the direction differs.
    ASSERT_TRUE(pair->send(Role::Client, "x"));
    pair->run();
    ASSERT_EQ(pair->made(Role::Client).size(), pair->made(Role::Server).size());
    ASSERT_TRUE(pair->send(from, "secret"));
    const std::size_t before = pair->seen(from).data.size();
    pair->inject(from, pair->in_flight(from).front());
    ASSERT_TRUE(pair->seen(from).closed);
    EXPECT_EQ(pair->seen(from).closed->reason, Reason::AeadDecryptFailed);
    EXPECT_EQ(pair->seen(from).data.size(), before);
  }
}

TEST(Splice, two_sessions_of_the_same_parties_cannot_be_joined_at_any_message) {
  for (std::size_t joint = 1; joint <= 5; ++joint) {
    World world;
    const auto first = world.pair();
    const auto second = world.pair();
    // Deliver in turn; from message `joint` on, what the first session's ends say goes to the second's and back.
    std::size_t passed = 0;
    for (bool moved = true; moved;) {
      moved = false;
      for (const Role role : kRoles) {
        auto& one = first->in_flight(role);
        auto& two = second->in_flight(role);
        if (one.empty() || two.empty()) continue;
        moved = true;
        if (++passed >= joint) std::swap(one.front(), two.front());
        first->deliver(role);
        second->deliver(role);
      }
    }
    // All five crossed is two untouched sessions with other partners; only then may they stand.
    const bool whole = joint == 1;
    for (const auto* pair : {first.get(), second.get()}) {
      EXPECT_EQ(pair->seen(Role::Client).session_id.has_value(), whole) << "joined at " << joint;
    }
  }
}

}  // namespace
}  // namespace qsp::test
