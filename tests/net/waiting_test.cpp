// How much may wait for an application that does not read (SPEC §7.7, §8.6).
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <utility>

#include "net/harness.hpp"
#include "net/pumped_connection.hpp"

namespace qsp::net::test {
namespace {

constexpr std::size_t kMiB = std::size_t{1024} * 1024;

/// An established session whose peer's bytes are all data, in frames without a header.
class PlainEndpoint final : public IdleEndpoint {
 public:
  std::size_t handle_bytes(MutableBytes in, Instant) override {
    const MutableBytes frame = in.first(std::min(in.size(), kMaxPlaintext));
    taken += frame.size();
    if (phase() != Phase::Closed) events_.emplace_back(AppData{frame, false});
    return frame.size();
  }
  std::optional<Event> poll_event() override {
    if (auto closed = IdleEndpoint::poll_event()) return closed;
    if (events_.empty()) return std::nullopt;
    const Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  std::size_t taken = 0;

 private:
  std::deque<Event> events_{Established{.session_id = 1}};
};

class Owner final : public ConnectionOwner {
 public:
  void connection_established(Connection&) override {}
  void connection_rekeyed(Connection&) override {}
  void connection_closed(Connection&, const Closed& how, const error_code&) override { closed = how; }
  void connection_finished(Connection&) override {}
  std::optional<Closed> closed;
};

class Session final : public PumpedConnection {
 public:
  using PumpedConnection::attach;
  using PumpedConnection::PumpedConnection;
};

/// A session whose application takes nothing, or is not there yet, and a peer that sends as much as it can.
struct Stalled {
  explicit Stalled(bool application, std::chrono::nanoseconds stall_limit = std::chrono::hours(1)) {
    tcp::acceptor acceptor(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    asio::ip::tcp::socket dialled(loop.io());
    dialled.connect(acceptor.local_endpoint());
    Socket taken(loop.executor());
    acceptor.accept(taken);
    taken.non_blocking(true);
    peer = ::dup(dialled.native_handle());
    auto made = std::make_unique<PlainEndpoint>();
    endpoint = made.get();
    session.reset(new Session(loop, std::move(taken), tcp::endpoint(), std::move(made), owner, stall_limit));
    session->start();
    if (!application) return;
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    const int copy = ::dup(ends[0]);
    EXPECT_TRUE(session->attach(PipeEnds(PipeEnds::Kind::Stream, ends[0], copy)));
  }
  Stalled(const Stalled&) = delete;
  Stalled& operator=(const Stalled&) = delete;
  ~Stalled() {
    session->abort();
    loop.io().poll();
    ::close(peer);
    if (ends[1] >= 0) ::close(ends[1]);
  }

  /// Sends until the session has taken `least` bytes, and then until neither it nor the peer's system takes any more.
  void flood(std::size_t least) {
    const std::vector<std::uint8_t> data(kMiB, 7);
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    for (int idle = 0; idle < 3 || endpoint->taken < least;) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it has stopped reading at " << endpoint->taken;
      const std::size_t before = endpoint->taken;
      const ssize_t sent = ::send(peer, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      loop.io().restart();
      loop.io().poll();
      idle = sent > 0 || endpoint->taken != before ? 0 : idle + 1;
      ASSERT_LT(endpoint->taken, 64 * kMiB) << "it reads without end";
    }
  }

  Loop loop;
  Owner owner;
  PlainEndpoint* endpoint = nullptr;
  boost::intrusive_ptr<Session> session;
  int peer = -1;
  std::array<int, 2> ends{-1, -1};
};

/// SPEC §7.7: "An end MUST keep reading until 4 MiB wait for its application", §8.6: "then reading stops".
TEST(Waiting, reading_goes_on_until_four_mebibytes_wait_and_stops_there) {
  for (const bool application : {false, true}) {
    Stalled stalled(application);
    stalled.flood(4 * kMiB);
    // One read, and what the application's socket holds by itself (its size is the system's, some hundred KiB).
    EXPECT_LE(stalled.endpoint->taken, 4 * kMiB + Loop::kScratchSize + (application ? kMiB : 0)) << application;
    EXPECT_FALSE(stalled.owner.closed);
  }
}

// SPEC §7.7.
TEST(Waiting, reading_goes_on_once_the_application_has_taken_some) {
  Stalled stalled(true);
  stalled.flood(4 * kMiB);
  const std::size_t before = stalled.endpoint->taken;
  std::vector<std::uint8_t> room(kMiB);
  std::size_t read = 0;
  while (read < 3 * kMiB) {
    const ssize_t count = ::read(stalled.ends[1], room.data(), room.size());
    if (count > 0) read += static_cast<std::size_t>(count);
    stalled.loop.io().restart();
    stalled.loop.io().poll();
  }
  stalled.flood(before + 2 * kMiB);
}

/// SPEC §7.7: where an application stalls with its 4 MiB full, "its session ends with TIMEOUT".
TEST(Waiting, an_application_that_stalls_loses_its_session) {
  Stalled stalled(true, std::chrono::milliseconds(1));
  const std::vector<std::uint8_t> data(kMiB, 7);
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!stalled.owner.closed) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "nobody minds";
    static_cast<void>(::send(stalled.peer, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    stalled.loop.io().restart();
    stalled.loop.io().run_one_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(stalled.owner.closed->reason, Reason::Timeout);
}

}  // namespace
}  // namespace qsp::net::test
