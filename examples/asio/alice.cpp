// Alice calls Bob from a coroutine of Boost.Asio.
#include <boost/asio.hpp>
#include <iostream>
#include <qsp/asio.hpp>
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>

namespace asio = boost::asio;

asio::awaitable<void> call(std::unique_ptr<qsp::crypto::Provider> provider, qsp::ClientOptions options) {
  const qsp::tcp::Address address{.host = "127.0.0.1", .port = 7155};
  auto made = co_await qsp::tcp::async_connect(co_await asio::this_coro::executor, address, std::move(provider),
                                               options, {}, asio::use_awaitable);
  qsp::tcp::AsioStream& bob = made.value();
  co_await asio::async_write(bob, asio::buffer("hello bob", 9), asio::use_awaitable);
  bob.session().finish().value();  // Alice writes no more

  std::string answer;
  const auto [end, size] =
      co_await asio::async_read(bob, asio::dynamic_buffer(answer), asio::as_tuple(asio::use_awaitable));
  if (end != asio::error::eof) throw std::bad_expected_access(bob.failure().value());
  std::cout << "alice received: " << answer << '\n';
  co_await bob.async_close(asio::use_awaitable);
}

int main() try {
  auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "alice.key").value();
  const auto bob = qsp::load_pin(*provider, "bob.key.pub").value();
  const qsp::ClientOptions options{.signer = key.get(), .peer = {.name = "bob", .keys = {bob}, .may_serve = true}};
  asio::io_context loop;
  asio::co_spawn(loop, call(std::move(provider), options), [](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);
  });
  loop.run();
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}
