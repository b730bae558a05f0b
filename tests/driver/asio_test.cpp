// qsp/asio.hpp: sessions for programs that must not wait, here of one thread.
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "driver/world.hpp"
#include "qsp/asio.hpp"

namespace qsp::tcp::test {
namespace {

namespace asio = boost::asio;
constexpr auto kOutcome = asio::as_tuple(asio::use_awaitable);

/// All that comes, and the error that it ended with.
asio::awaitable<boost::system::error_code> read_all(AsioStream& stream, std::string& all) {
  const auto [failed, size] = co_await asio::async_read(stream, asio::dynamic_buffer(all), kOutcome);
  co_return failed;
}

asio::awaitable<void> write_all(AsioStream& stream, std::string_view text) {
  const auto [failed, size] = co_await asio::async_write(stream, asio::buffer(text), kOutcome);
  EXPECT_FALSE(failed) << failed.message();
  EXPECT_EQ(size, text.size());
}

struct Asio : testing::Test, World {
  Asio() { listening.emplace(serve({.host = "127.0.0.1", .port = 0}, make_provider(), server()).value()); }

  using Talk = std::function<asio::awaitable<void>(AsioStream&)>;

  asio::awaitable<void> dial(ClientOptions options, Talk talk) {
    const Address to = listening->address();
    const ConnectOptions how;
    auto stream = co_await async_connect(loop.get_executor(), to, make_provider(), options, how, asio::use_awaitable);
    if (!stream) {
      refused = stream.error();
      co_return;
    }
    co_await talk(*stream);
    co_await stream->async_close(asio::use_awaitable);
    EXPECT_TRUE(stream->session().closed());
  }
  asio::awaitable<void> answer(Talk talk) {
    auto stream = co_await async_accept(loop.get_executor(), *listening, asio::use_awaitable);
    if (!stream) {
      refused = stream.error();
      co_return;
    }
    co_await talk(*stream);
    co_await stream->async_close(asio::use_awaitable);
  }
  void start(asio::awaitable<void> task) {
    asio::co_spawn(loop, std::move(task), [](const std::exception_ptr& failed) {
      if (failed) std::rethrow_exception(failed);
    });
  }

  asio::io_context loop;
  std::optional<Failure> refused;
};

TEST_F(Asio, two_coroutines_talk_on_one_thread) {
  std::string alices, bobs;
  std::thread::id here;
  start(dial(client(), [&](AsioStream& stream) -> asio::awaitable<void> {
    co_await write_all(stream, "hello bob");
    EXPECT_TRUE(stream.session().finish());
    const auto ended = co_await read_all(stream, alices);
    EXPECT_EQ(ended, asio::error::eof);
    here = std::this_thread::get_id();
  }));
  start(answer([&](AsioStream& stream) -> asio::awaitable<void> {
    const auto ended = co_await read_all(stream, bobs);
    EXPECT_EQ(ended, asio::error::eof);
    co_await write_all(stream, "hello " + stream.session().status().peer);
    EXPECT_TRUE(stream.session().finish());
  }));
  loop.run();
  EXPECT_EQ(bobs, "hello bob");
  EXPECT_EQ(alices, "hello alice");
  EXPECT_EQ(here, std::this_thread::get_id());
  EXPECT_FALSE(refused);
}

TEST_F(Asio, more_than_all_buffers_hold_crosses_both_ways) {
  const std::string much(12'000'000, 'x');
  std::string alices, bobs;
  const auto talk = [&much](std::string& heard) {
    return [&much, &heard](AsioStream& stream) -> asio::awaitable<void> {
      bool read = false;
      asio::co_spawn(
          stream.get_executor(),
          [&]() -> asio::awaitable<void> {
            const auto ended = co_await read_all(stream, heard);
            EXPECT_EQ(ended, asio::error::eof);
            read = true;
          },
          asio::detached);
      co_await write_all(stream, much);
      EXPECT_TRUE(stream.session().finish());
      while (!read) co_await asio::post(stream.get_executor(), asio::use_awaitable);
    };
  };
  start(dial(client(), talk(alices)));
  start(answer(talk(bobs)));
  loop.run();
  EXPECT_EQ(alices.size(), much.size());
  EXPECT_TRUE(bobs == much);
}

TEST_F(Asio, data_that_is_cut_off_is_no_end_of_file) {
  std::string bobs;
  start(dial(client(), [&](AsioStream& stream) -> asio::awaitable<void> { co_await write_all(stream, "a part"); }));
  start(answer([&](AsioStream& stream) -> asio::awaitable<void> {
    const auto failed = co_await read_all(stream, bobs);
    EXPECT_EQ(failed, boost::system::error_code(AsioCategory::kTruncated, AsioCategory::get()));
    EXPECT_NE(failed.message(), "");
    EXPECT_TRUE(stream.failure());
    const auto [again, size] = co_await stream.async_write_some(asio::buffer("x", 1), kOutcome);
    EXPECT_TRUE(again);
  }));
  loop.run();
  EXPECT_EQ(bobs, "a part");
}

TEST_F(Asio, buffers_without_room_are_answered_at_once) {
  start(dial(client(), [](AsioStream& stream) -> asio::awaitable<void> {
    const auto [failed, size] = co_await stream.async_read_some(asio::mutable_buffer(), kOutcome);
    EXPECT_FALSE(failed);
    EXPECT_EQ(size, 0U);
    const auto [unsent, none] = co_await stream.async_write_some(asio::const_buffer(), kOutcome);
    EXPECT_FALSE(unsent);
    EXPECT_EQ(none, 0U);
  }));
  loop.run();
  EXPECT_FALSE(refused);
}

TEST_F(Asio, a_handshake_that_fails_is_told_and_holds_up_nobody) {
  const World others;
  ClientOptions stranger = client();
  stranger.signer = others.alice_key.get();
  start(dial(stranger, [](AsioStream&) -> asio::awaitable<void> { co_return; }));
  loop.run();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->reason, Reason::HandshakeFailed);
}

TEST_F(Asio, options_that_no_session_can_have_are_told) {
  start(dial({}, [](AsioStream&) -> asio::awaitable<void> { co_return; }));
  loop.run();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->kind, ErrorKind::ApiMisuse);
}

TEST_F(Asio, whoever_waits_for_a_session_hears_that_the_server_stops) {
  start(answer([](AsioStream&) -> asio::awaitable<void> { co_return; }));
  asio::post(loop, [this] { listening->stop(); });
  loop.run();
  EXPECT_TRUE(refused);
}

/// Runs what can be run now, up to the points where it waits for others.
void run_until_it_waits(asio::io_context& own, const bool& waits) {
  while (!waits) own.run_one();
  own.stop();
  own.restart();
}

TEST_F(Asio, calls_under_way_go_with_their_loop) {
  const auto held = std::make_shared<int>();  // by each coroutine
  std::optional<Session> bob_end;
  {
    asio::io_context own;
    bool reads = false, accepts = false;
    const auto read = [&, held](ClientOptions options) -> asio::awaitable<void> {
      const auto mine = held;
      const Address to = listening->address();
      const ConnectOptions how;
      auto stream = co_await async_connect(own.get_executor(), to, make_provider(), options, how, asio::use_awaitable);
      std::array<char, 10> buffer{};
      reads = true;
      co_await stream.value().async_read_some(asio::buffer(buffer), asio::use_awaitable);
      ADD_FAILURE() << "nobody writes";
    };
    asio::co_spawn(own, read(client()), asio::detached);
    run_until_it_waits(own, reads);
    bob_end = listening->accept().value();
    const auto accept = [&, held]() -> asio::awaitable<void> {
      const auto mine = held;
      accepts = true;
      static_cast<void>(co_await async_accept(own.get_executor(), *listening, asio::use_awaitable));
      ADD_FAILURE() << "nobody calls";
    };
    asio::co_spawn(own, accept(), asio::detached);
    run_until_it_waits(own, accepts);
    EXPECT_EQ(held.use_count(), 5) << "with the two closures";
  }
  ASSERT_EQ(held.use_count(), 1) << "the coroutines are gone";
  std::array<std::uint8_t, 10> buffer{};
  EXPECT_EQ(bob_end->read(buffer).error().reason, Reason::Normal) << "and with them the session";
  listening->stop();  // which answers nobody
}

TEST_F(Asio, callbacks_do_as_well) {
  std::optional<AsioStream> bobs;
  std::string heard(9, '\0');
  async_accept(loop.get_executor(), *listening, [&](Result<AsioStream, Failure> made) {
    bobs.emplace(*std::move(made));
    asio::async_read(*bobs, asio::buffer(heard), [&](const boost::system::error_code& failed, std::size_t) {
      EXPECT_FALSE(failed);
      bobs->async_close([] {});
    });
  });
  start(dial(client(), [](AsioStream& stream) -> asio::awaitable<void> { co_await write_all(stream, "hello bob"); }));
  loop.run();
  EXPECT_EQ(heard, "hello bob");
}

}  // namespace
}  // namespace qsp::tcp::test
