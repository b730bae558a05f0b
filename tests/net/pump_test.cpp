// A pump over a carrier that is no session: what it demands of either side is all here.
#include "net/pump.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "files/descriptor.hpp"
#include "qsp/endpoint.hpp"
#include "support/heap.hpp"

namespace qsp::net {
namespace {

using files::Descriptor;
using namespace std::chrono_literals;

constexpr std::size_t kFrame = std::size_t{64} * 1024;
constexpr std::size_t kMiB = std::size_t{1024} * 1024;
constexpr std::chrono::seconds kPatience{90};

/// Keeps what it is to send, as much as a test lets it.
class Line final : public Carrier {
 public:
  explicit Line(Loop& loop, std::chrono::nanoseconds stall_limit = 1h)
      : pump(loop, *this, stall_limit), queue_(loop.chunks()) {}

  MutableBytes reserve() override { return closed ? MutableBytes() : queue_.reserve(kFrame); }
  Result<void> send_reserved(std::size_t size, bool end) override {
    if (ended || closed) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "it is over");
    queue_.reserve(size);
    queue_.commit(size);
    ended = end;
    return {};
  }
  [[nodiscard]] std::size_t queued() const noexcept override { return queue_.size(); }
  void wake() override { pump.fill(); }
  void close(Reason reason, std::string_view text) override {
    if (!closed) closed.emplace(reason, std::string(text));
  }

  /// Hands over what waits to be sent.
  std::string sent() {
    std::string all;
    while (!queue_.empty()) {
      SendQueue::Buffers storage;
      const asio::const_buffer first = queue_.front(storage).front();
      all.append(static_cast<const char*>(first.data()), first.size());
      queue_.consume(first.size());
    }
    return all;
  }
  /// The same, unseen.
  void forget_sent() noexcept { queue_.clear(); }

  Pump pump;
  bool ended = false;
  std::optional<std::pair<Reason, std::string>> closed;

 private:
  SendQueue queue_;
};

class PumpTest : public testing::Test {
 protected:
  PumpTest() { ::signal(SIGPIPE, SIG_IGN); }
  ~PumpTest() override {
    line->pump.carrier_finished();
    turn();
  }

  /// A socket as the near side; the application's end of it is `near`.
  void attach_socket() {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    near = Descriptor(ends[1]);
    ASSERT_TRUE(line->pump.attach(PipeEnds(PipeEnds::Kind::Stream, ends[0], ends[0])));
    line->wake();
  }
  /// Two pipes; the application writes to `near` and reads from `reader`.
  void attach_pipes() {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    ASSERT_EQ(::pipe2(input.data(), O_NONBLOCK | O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(output.data(), O_NONBLOCK | O_CLOEXEC), 0);
    near = Descriptor(input[1]);
    reader = Descriptor(output[0]);
    ASSERT_TRUE(line->pump.attach(PipeEnds(PipeEnds::Kind::Pipes, input[0], output[1])));
    line->wake();
  }
  void turn() {
    loop.io().restart();
    loop.io().poll();
  }
  template <class Condition>
  void turn_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up);
      loop.io().restart();
      loop.io().run_one_for(10ms);
    }
  }
  void write(std::string_view text) { ASSERT_EQ(::write(near.get(), text.data(), text.size()), std::ssize(text)); }
  /// What the application can read now; nothing at the end.
  static std::optional<std::string> read(const Descriptor& from, std::size_t most = kMiB) {
    std::string text(most, '\0');
    const ssize_t count = ::read(from.get(), text.data(), text.size());
    if (count == 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
  }
  void bring(std::string_view text, bool end = false) {
    line->pump.take(as_bytes(text), end);
    line->pump.all_taken();
  }

  Loop loop;
  boost::intrusive_ptr<Line> line{new Line(loop)};
  Descriptor near, reader;
};

TEST_F(PumpTest, carries_both_ways_and_each_end_by_itself) {
  attach_socket();
  write("to the peer");
  turn_until([&] { return line->queued() > 0; });
  EXPECT_EQ(line->sent(), "to the peer");
  bring("from the peer", true);
  EXPECT_EQ(read(near), "from the peer");
  EXPECT_EQ(read(near), std::nullopt) << "the peer's end of data did not arrive";
  write("and still to the peer");
  turn_until([&] { return line->queued() > 0; });
  EXPECT_EQ(line->sent(), "and still to the peer");
  EXPECT_FALSE(line->ended);
  ::shutdown(near.get(), SHUT_WR);
  turn_until([&] { return line->ended; });
  EXPECT_TRUE(line->pump.report().input_sent);
  EXPECT_FALSE(line->closed);
}

TEST_F(PumpTest, reads_no_more_than_the_carrier_has_room_for_and_goes_on_when_it_has) {
  attach_socket();
  const std::string data(kFrame, 'x');
  std::size_t written = 0;
  turn_until([&] {
    const ssize_t count = ::write(near.get(), data.data(), data.size());
    if (count > 0) written += static_cast<std::size_t>(count);
    return count < 0 && line->queued() >= Carrier::kHighWater;
  });
  turn();
  EXPECT_LT(line->queued(), Carrier::kHighWater + kFrame);
  std::size_t carried = 0;
  turn_until([&] {
    carried += line->sent().size();
    line->wake();
    return carried == written;
  });
}

TEST_F(PumpTest, what_one_read_brought_leaves_uncopied_in_one_write) {
  attach_socket();
  const std::array<std::string, 3> frames{"one ", "two ", "three"};
  for (const std::string& frame : frames) line->pump.take(as_bytes(frame), false);
  EXPECT_EQ(read(near), "") << "before the whole read was handed over";
  const std::size_t before = test::heap::made();
  line->pump.all_taken();
  EXPECT_EQ(test::heap::made(), before) << "it was copied into a chunk";
  EXPECT_EQ(read(near), "one two three");
}

TEST_F(PumpTest, what_comes_before_its_descriptors_waits_for_them) {
  bring("early");
  attach_socket();
  EXPECT_EQ(read(near), "early");
}

// SPEC §7.7.
TEST_F(PumpTest, stops_at_4_mib_for_a_reader_that_stalls_and_goes_on_once_it_reads) {
  attach_socket();
  const std::string data(kFrame, 'x');
  std::size_t brought = 0;
  while (line->pump.wants_more()) {
    ASSERT_FALSE(line->pump.deadline());
    bring(data);
    brought += data.size();
    ASSERT_LT(brought, 8 * kMiB) << "no bound";
  }
  EXPECT_GE(brought, Pump::kMaxWaiting);
  ASSERT_TRUE(line->pump.deadline());
  EXPECT_GT(*line->pump.deadline(), Loop::now() + 59min);
  std::size_t got = 0;
  turn_until([&] {
    got += read(near).value_or("").size();
    return got == brought;
  });
  EXPECT_TRUE(line->pump.wants_more());
  EXPECT_FALSE(line->pump.deadline());
}

TEST_F(PumpTest, a_reader_that_left_does_not_end_what_the_application_has_to_say) {
  attach_pipes();
  reader.close();
  bring("nobody reads this");
  EXPECT_FALSE(line->closed);
  write("still talking");
  turn_until([&] { return line->queued() > 0; });
  EXPECT_EQ(line->sent(), "still talking");
  near.close();
  turn_until([&] { return line->ended; });
  EXPECT_FALSE(line->closed) << "the peer may have more to say, or an end";
  bring("and it does");
  ASSERT_TRUE(line->closed);
  EXPECT_EQ(line->closed->first, Reason::Normal);
}

TEST_F(PumpTest, an_input_that_cannot_be_read_ends_the_carrier) {
  Descriptor folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(line->pump.attach(PipeEnds(PipeEnds::Kind::Pipes, folder.release(), nowhere.release())));
  line->wake();
  ASSERT_TRUE(line->closed);
  EXPECT_EQ(line->closed->first, Reason::InternalError);
  EXPECT_TRUE(line->pump.report().failure.starts_with("cannot read the input: ")) << line->pump.report().failure;
  EXPECT_FALSE(line->pump.report().input_sent);
}

TEST_F(PumpTest, an_end_that_is_yet_to_be_judged_is_told_once_it_was) {
  line->pump.await_judgement();
  attach_pipes();
  near.close();
  turn();
  turn();
  EXPECT_FALSE(line->ended || line->closed);
  line->pump.judge_input("");
  EXPECT_TRUE(line->ended);
  EXPECT_TRUE(line->pump.report().input_sent);
}

TEST_F(PumpTest, an_end_that_was_judged_bad_ends_the_carrier_only_when_it_comes) {
  line->pump.await_judgement();
  attach_pipes();
  line->pump.judge_input("the command ended with status 1");
  write("its last words");
  turn_until([&] { return line->queued() > 0; });
  EXPECT_EQ(line->sent(), "its last words");
  EXPECT_FALSE(line->closed);
  near.close();
  turn_until([&] { return line->closed.has_value(); });
  EXPECT_EQ(*line->closed, std::pair(Reason::InternalError, std::string("the command ended with status 1")));
  EXPECT_FALSE(line->ended);
}

TEST_F(PumpTest, what_waits_is_written_out_after_the_carrier_has_finished) {
  attach_socket();
  const std::string data(2 * kMiB, 'x');
  bring(data);
  line->pump.carrier_finished();
  std::size_t got = 0;
  bool ended = false;
  turn_until([&] {
    const auto some = read(near);
    got += some ? some->size() : 0;
    ended = !some;
    return ended;
  });
  EXPECT_EQ(got, data.size());
}

TEST_F(PumpTest, bulk_both_ways_allocates_nothing_once_it_runs) {
  attach_socket();
  const std::vector<std::uint8_t> data(kFrame, 7);
  std::vector<std::uint8_t> room(kFrame);
  std::size_t carried = 0;
  std::size_t got = 0;
  const auto move = [&](int turns) {
    for (int i = 0; i < turns; ++i) {
      // More than the socket takes at once, so that some waits in chunks and the pump waits for its reader.
      for (int frame = 0; frame < 8; ++frame) line->pump.take(data, false);
      line->pump.all_taken();
      while (::write(near.get(), data.data(), data.size()) > 0) {
      }
      const std::size_t all = got + 8 * kFrame;
      while (got < all) {
        for (ssize_t count = 0; (count = ::read(near.get(), room.data(), room.size())) > 0;) {
          got += static_cast<std::size_t>(count);
        }
        carried += line->queued();
        line->forget_sent();
        line->wake();
        loop.io().restart();
        loop.io().poll();
      }
    }
  };
  move(16);
  const std::size_t before = test::heap::made();
  move(100);
  EXPECT_EQ(test::heap::made(), before);
  EXPECT_GT(carried, 50 * kFrame);
  EXPECT_GT(got, 50 * kFrame);
}

}  // namespace
}  // namespace qsp::net
