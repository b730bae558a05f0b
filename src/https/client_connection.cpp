#include "https/client_connection.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <utility>

namespace qsp::https {
namespace {

namespace asio = net::asio;

CallFailure unsent(std::string why, bool lasting = false) {
  return {.sent = false, .text = std::move(why), .lasting = lasting};
}
CallFailure lost(std::string why) { return {.sent = true, .text = std::move(why)}; }
/// For what the next answer would be too.
CallFailure misread(std::string why) { return {.sent = true, .text = std::move(why), .lasting = true}; }

std::string explain_connect(const net::error_code& why) {
  if (why == asio::error::connection_refused) return "nothing listens there (start the server, or check the URL)";
  if (why == asio::error::network_unreachable || why == asio::error::host_unreachable) {
    return "no route to it (check the network)";
  }
  if (why == asio::error::timed_out) return "no answer (check the URL, and firewalls on the way)";
  return "cannot connect: " + why.message();
}

std::string explain_dial(const net::Address& address, const net::DialFailure& failure) {
  if (failure.unresolved == asio::error::timed_out) return "no answer to the question for its address in time";
  if (failure.unresolved) return "no such host: " + address.host + " (check the name, or give an IP address)";
  if (failure.tried.size() == 1) return explain_connect(failure.tried.front().why);
  return net::describe(failure.tried) + " (start the server, or check the URL, and firewalls on the way)";
}

}  // namespace

ClientConnection::ClientConnection(std::shared_ptr<const Common> common, std::weak_ptr<ConnectionUser> user,
                                   std::uint64_t newest_call)
    : common_(std::move(common)),
      user_(std::move(user)),
      newest_call_(newest_call),
      stream_(net::Socket(common_->loop.executor())),
      watchdog_(common_->loop) {}

void ClientConnection::connect() {
  watchdog_.start(weak_from_this(), [this] {
    report_unreachable(unsent(
        fmt::format("no connection within {} ms (check the URL, and firewalls on the way)",
                    std::chrono::duration_cast<std::chrono::milliseconds>(common_->options.connect_timeout).count())));
  });
  watchdog_.within(common_->options.connect_timeout);
  const auto keep = [](std::shared_ptr<ClientConnection> self) -> Awaited<void> { co_await self->run(); };
  asio::co_spawn(common_->loop.executor(), keep(shared_from_this()), asio::detached);
}

Awaited<void> ClientConnection::run() {
  const std::optional<CallFailure> unreachable = co_await open();
  if (closed_) co_return;
  watchdog_.stop();
  if (unreachable) {
    report_unreachable(*unreachable);
    co_return;
  }
  established_ = true;
  born_ = net::Loop::now();
  if (const auto user = user_.lock()) user->ready(*this);
  while (!closed_) {
    const auto [failed, count] = co_await stream_.read_some(input_.room());
    if (closed_) break;
    if (failed) {
      give_up(failed);
    } else {
      input_.commit(count);
      take_input();
    }
  }
}

Awaited<std::optional<CallFailure>> ClientConnection::open() {
  // A little less than what is left for it all: then it says itself which address failed of what.
  const std::chrono::nanoseconds limit = common_->options.connect_timeout - common_->options.connect_timeout / 16;
  dial_.emplace(common_->loop.executor(), net::DialLimits{.overall = limit, .each = limit});
  auto racing = dial_->run(common_->url.address);
  auto dialled = co_await std::move(racing);
  if (closed_) co_return std::nullopt;
  if (!dialled) co_return unsent(explain_dial(common_->url.address, dialled.error()));
  stream_.take(std::move(dialled->socket));
  stream_.set_no_delay();
  if (!common_->url.tls) co_return std::nullopt;
  Ssl ssl = make_client_end(common_->tls, common_->server_name);
  if (!ssl) co_return unsent("TLS cannot be started (out of memory?)");
  const auto [failed] = co_await stream_.handshake(std::move(ssl), Stream::End::Client);
  if (closed_) co_return std::nullopt;
  if (failed) {
    TlsFailure why = explain_tls(stream_.ssl(), failed);
    co_return unsent(std::move(why.text), why.lasting);
  }
  if (!peer_identity(stream_.ssl())) {
    co_return unsent("its certificate names it in a way that could be misread (issue another)", true);
  }
  co_return std::nullopt;
}

void ClientConnection::start(std::uint64_t id, const Call& call) {
  call_ = id;
  reader_.emplace(common_->options.max_body);
  output_ = write_request(common_->url.host(), common_->url.prefix, call);
  writing_ = true;
  const auto keep = [](std::shared_ptr<ClientConnection> self) -> Awaited<void> { co_await self->write(); };
  asio::co_spawn(common_->loop.executor(), keep(shared_from_this()), asio::detached);
}

Awaited<void> ClientConnection::write() {
  const auto [failed, count] = co_await stream_.write(output_.reveal_text());
  // What stopped it is for the reader to find: the server may have answered before it stopped to listen.
  writing_ = static_cast<bool>(failed);
  output_ = SecretBytes();
}

bool ClientConnection::take_input() {
  if (!reader_) {
    leave();  // words that nobody asked for
    return false;
  }
  ResponseReader& reader = *reader_;
  const std::expected<Progress, std::string> progress = reader.feed(input_);
  if (!progress) {
    fail_call(misread(progress.error()));
  } else if (*progress == Progress::Done) {
    finish_answer(reader.keep_alive() && input_.empty() && !writing_ && !is_old(), reader.take());
  }
  return !closed_;
}

void ClientConnection::finish_answer(bool keep, Response response) {
  const auto user = user_.lock();
  const std::uint64_t call = call_;
  reader_.reset();
  input_.clear();
  used_before_ = true;
  if (!keep) {
    leave();
  } else if (user) {
    user->ready(*this);
  }
  if (user) user->answered(call, std::move(response));
}

/// The stream has ended.
void ClientConnection::give_up(const net::error_code& failed) {
  if (!reader_) {
    leave();
    return;
  }
  if (failed == asio::error::eof || is_unvouched_end(failed)) {
    const std::expected<void, std::string> ended = reader_->end();
    if (!ended) {
      fail_call(lost(ended.error()));
    } else if (failed == asio::error::eof) {
      finish_answer(false, reader_->take());
    } else {
      take_unvouched(*reader_);
    }
    return;
  }
  if (!used_before_ && !reader_->started() && is_certificate_alert(failed)) {
    fail_call(unsent(explain_tls(stream_.ssl(), failed).text, true));
  } else {
    fail_call(lost("the connection broke: " + failed.message()));
  }
}

void ClientConnection::take_unvouched(ResponseReader& reader) {
  const auto& whole = common_->options.whole_by_itself;
  Response response = reader.take();
  if (whole && whole(response.body.reveal_text())) {
    finish_answer(false, std::move(response));
  } else if (whole) {
    fail_call(lost("it ended the connection in the middle of its answer"));
  } else {
    fail_call(
        misread("its answer has no length, and TLS ended without close_notify, so that it may be cut (have it send "
                "Content-Length; or take what is whole by itself: --kme-unclean-end)"));
  }
}

void ClientConnection::fail_call(CallFailure failure) {
  const auto user = user_.lock();
  const std::uint64_t call = call_;
  leave();
  if (user) user->failed(call, std::move(failure));
}

void ClientConnection::report_unreachable(const CallFailure& why) {
  const auto user = user_.lock();
  leave();
  if (user) user->unreachable(newest_call_, why);
}

void ClientConnection::leave() {
  const auto self = shared_from_this();
  close();
  if (const auto user = user_.lock()) user->gone(*this);
}

void ClientConnection::close() {
  closed_ = true;
  watchdog_.stop();
  if (dial_) dial_->cancel();
  stream_.close();
}

}  // namespace qsp::https
