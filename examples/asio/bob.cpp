// Bob answers Alice, and nobody else, once, from a coroutine of Boost.Asio.
#include <qsp/asio.hpp>
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>

#include <boost/asio.hpp>
#include <iostream>

namespace asio = boost::asio;

asio::awaitable<void> answer(qsp::tcp::Server& server) {
  auto made = co_await qsp::tcp::async_accept(co_await asio::this_coro::executor, server, asio::use_awaitable);
  qsp::tcp::AsioStream& alice = made.value();
  std::string heard;
  const auto [end, size] =
      co_await asio::async_read(alice, asio::dynamic_buffer(heard), asio::as_tuple(asio::use_awaitable));
  if (end != asio::error::eof) throw std::bad_expected_access(alice.failure().value());
  std::cout << "bob received: " << heard << '\n';
  const std::string reply = "hello " + alice.session().status().peer;
  co_await asio::async_write(alice, asio::buffer(reply), asio::use_awaitable);
  alice.session().finish().value();
  co_await alice.async_close(asio::use_awaitable);
}

int main() try {
  auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "bob.key").value();
  const auto known = qsp::Pins::load(*provider, "bob.toml").value();
  const qsp::ServerOptions options{.signers = {key.get()}, .peers = &known};
  auto server = qsp::tcp::serve({.host = "127.0.0.1", .port = 7155}, std::move(provider), options).value();
  asio::io_context loop;
  asio::co_spawn(loop, answer(server), [](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);
  });
  loop.run();
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}
