#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "qsp/tcp.hpp"

/// qsp/tcp.hpp for programs of Boost.Asio, with callbacks, coroutines, futures or any other completion token. Of the
/// component "tcp". All of it stands in this header: libqsp shows no type of Asio, so any Boost from 1.81 on will do.
namespace qsp::tcp {

/// The errors of AsioStream: a Reason's value, or kTruncated.
class AsioCategory final : public boost::system::error_category {
 public:
  /// The session ended in good order, but before the peer had said that its data is complete.
  static constexpr int kTruncated = 1;

  [[nodiscard]] const char* name() const noexcept override { return "qsp"; }
  [[nodiscard]] std::string message(int value) const override {
    const auto reason = reason_from_wire(static_cast<std::uint16_t>(value));
    return reason ? std::string(qsp::name(*reason)) : "the session ended before its data was complete";
  }
  static const AsioCategory& get() noexcept {
    static const AsioCategory one;
    return one;
  }
};

/// The calls that wait for an answer on one execution context, such as an io_context. They go with it, and their
/// handlers, as Asio's own do. An answer that comes later is for nobody.
class AsioCalls final : public boost::asio::execution_context::service {
 public:
  using key_type = AsioCalls;
  static inline boost::asio::execution_context::id id;

  explicit AsioCalls(boost::asio::execution_context& context) : service(context) {}

  /// What the library is given for `post` and `then`.
  template <class... Answer>
  struct Given {
    Post post;
    std::move_only_function<void(Answer...)> then;
  };
  template <class... Answer>
  static Given<Answer...> begin(boost::asio::execution_context& context, Post post,
                                std::move_only_function<void(Answer...)> then) {
    const std::shared_ptr<State> state = boost::asio::use_service<AsioCalls>(context).state_;
    const auto call = std::make_shared<Call<Answer...>>();
    call->post = std::move(post);
    call->then = std::move(then);
    {
      const std::lock_guard lock(state->mutex);
      state->calls.insert(call);
    }
    return {
        .post =
            [state, call](std::move_only_function<void()> task) {
              {
                const std::lock_guard lock(state->mutex);
                if (call->post) return call->post(std::move(task));
              }
              std::thread([dropped = std::move(task)] {}).detach();  // it may hold a session, whose end takes a while
            },
        .then =
            [state, call](Answer... answer) {
              Post kept;  // and with it the work of the context, until the handler has run
              {
                const std::lock_guard lock(state->mutex);
                if (!call->post) return;
                kept = std::exchange(call->post, nullptr);
                state->calls.erase(call);
              }
              auto handler = std::exchange(call->then, nullptr);
              handler(std::move(answer)...);
            }};
  }

 private:
  struct AnyCall {
    AnyCall() = default;
    AnyCall(const AnyCall&) = delete;
    AnyCall& operator=(const AnyCall&) = delete;
    virtual ~AnyCall() = default;
    virtual void drop() = 0;
    Post post;  ///< none once it is answered or dropped
  };
  template <class... Answer>
  struct Call final : AnyCall {
    void drop() override { then = nullptr; }
    std::move_only_function<void(Answer...)> then;  ///< of whoever has taken `post` away
  };
  struct State {
    std::mutex mutex;
    std::set<std::shared_ptr<AnyCall>> calls;
  };

  /// First nobody posts any more: a handler that goes may end a session, and so answer other calls.
  void shutdown() override {
    std::set<std::shared_ptr<AnyCall>> all;
    {
      const std::lock_guard lock(state_->mutex);
      all.swap(state_->calls);
      for (const auto& each : all) each->post = nullptr;
    }
    for (const auto& each : all) each->drop();
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A Session as an AsyncReadStream and AsyncWriteStream, for the algorithms of Asio and Beast. One read and one write
/// may be under way at a time. The object stays where it is, and lives, until each has called back. An operation cannot
/// be cancelled by itself: async_close ends them all.
class AsioStream {
 public:
  using executor_type = boost::asio::any_io_executor;

  AsioStream(executor_type executor, Session session) : executor_(std::move(executor)), session_(std::move(session)) {}

  [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
  /// For finish(), status(), export_key() and the rest. rekey() waits for the peer; so keep it to other threads.
  [[nodiscard]] Session& session() noexcept { return session_; }
  /// What the error of the last read or write was, for a person.
  [[nodiscard]] const std::optional<Failure>& failure() const noexcept { return failure_; }

  /// Session::read into the first of the buffers that is not empty. Signature: void(error_code, std::size_t). Errors:
  /// eof once the peer writes no more; AsioCategory where the session ended before.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    const auto buffer = first_of<boost::asio::mutable_buffer>(buffers);
    const MutableBytes out(static_cast<std::uint8_t*>(buffer.data()), buffer.size());
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, MutableBytes room) {
          Post post = post_to(executor_, handler);
          auto then = [this, room, handler = std::move(handler)](Result<std::size_t, Failure> size) mutable {
            const bool end = size && *size == 0 && !room.empty();
            std::move(handler)(end ? boost::asio::error::eof : error_of(size), size.value_or(0));
          };
          if (room.empty()) return post([then = std::move(then)]() mutable { then(std::size_t{0}); });
          auto call = AsioCalls::begin(executor_.context(), std::move(post), Then<std::size_t>(std::move(then)));
          session_.start_read(room, std::move(call.post), std::move(call.then));
        },
        token, out);
  }

  /// Session::start_write of the first of the buffers that is not empty. Signature: void(error_code, std::size_t).
  /// Errors: AsioCategory, also after finish().
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const auto buffer = first_of<boost::asio::const_buffer>(buffers);
    const Bytes data(static_cast<const std::uint8_t*>(buffer.data()), buffer.size());
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, Bytes waiting) {
          Post post = post_to(executor_, handler);
          auto then = [this, handler = std::move(handler)](Result<std::size_t, Failure> size) mutable {
            std::move(handler)(error_of(size), size.value_or(0));
          };
          if (waiting.empty()) return post([then = std::move(then)]() mutable { then(std::size_t{0}); });
          auto call = AsioCalls::begin(executor_.context(), std::move(post), Then<std::size_t>(std::move(then)));
          session_.start_write(waiting, std::move(call.post), std::move(call.then));
        },
        token, data);
  }

  /// Session::close, without waiting for it; the destructor then does not wait either. Signature: void().
  template <class Token>
  auto async_close(Token&& token) {
    return boost::asio::async_initiate<Token, void()>(
        [this](auto handler) {
          Post post = post_to(executor_, handler);
          std::move_only_function<void()> then = [handler = std::move(handler)]() mutable { std::move(handler)(); };
          auto call = AsioCalls::begin(executor_.context(), std::move(post), std::move(then));
          session_.start_close(std::move(call.post), std::move(call.then));
        },
        token);
  }

  /// Where the handler wants to be called, or else by `executor`, which does not run out of work until then.
  template <class Handler>
  static Post post_to(const executor_type& executor, const Handler& handler) {
    namespace asio = boost::asio;
    return
        [to = asio::prefer(asio::get_associated_executor(handler, executor), asio::execution::outstanding_work.tracked),
         kept = asio::prefer(executor, asio::execution::outstanding_work.tracked)](
            std::move_only_function<void()> task) { asio::post(to, std::move(task)); };
  }

 private:
  template <class Buffer, class Buffers>
  static Buffer first_of(const Buffers& buffers) {
    for (auto each = boost::asio::buffer_sequence_begin(buffers); each != boost::asio::buffer_sequence_end(buffers);
         ++each) {
      if (const Buffer buffer(*each); buffer.size() != 0) return buffer;
    }
    return {};
  }
  boost::system::error_code error_of(const Result<std::size_t, Failure>& size) {
    if (size) return {};
    failure_ = size.error();
    const int value = static_cast<int>(failure_->reason);
    return {value == 0 ? AsioCategory::kTruncated : value, AsioCategory::get()};
  }

  executor_type executor_;
  Session session_;
  std::optional<Failure> failure_;
};

/// Makes a stream of the session that comes, for a handler of Result<AsioStream, Failure>.
template <class Handler>
Then<Session> answer_to(const AsioStream::executor_type& executor, Handler handler) {
  return [executor, handler = std::move(handler)](Result<Session, Failure> made) mutable {
    if (made) return std::move(handler)(Result<AsioStream, Failure>(std::in_place, executor, *std::move(made)));
    std::move(handler)(Result<AsioStream, Failure>(std::unexpect, std::move(made.error())));
  };
}

/// connect(), without waiting. Signature: void(Result<AsioStream, Failure>).
template <class Token>
auto async_connect(const AsioStream::executor_type& executor, const Address& address,
                   std::unique_ptr<crypto::Provider> provider, const ClientOptions& session,
                   const ConnectOptions& options, Token&& token) {
  return boost::asio::async_initiate<Token, void(Result<AsioStream, Failure>)>(
      [executor](auto handler, const Address& to, std::unique_ptr<crypto::Provider> own, const ClientOptions& wanted,
                 const ConnectOptions& how) {
        Post post = AsioStream::post_to(executor, handler);
        auto call = AsioCalls::begin(executor.context(), std::move(post), answer_to(executor, std::move(handler)));
        start_connect(to, std::move(own), wanted, how, std::move(call.post), std::move(call.then));
      },
      token, address, std::move(provider), session, options);
}

/// Server::accept(), without waiting, one at a time. Signature: void(Result<AsioStream, Failure>).
template <class Token>
auto async_accept(const AsioStream::executor_type& executor, Server& server, Token&& token) {
  return boost::asio::async_initiate<Token, void(Result<AsioStream, Failure>)>(
      [executor, &server](auto handler) {
        Post post = AsioStream::post_to(executor, handler);
        auto call = AsioCalls::begin(executor.context(), std::move(post), answer_to(executor, std::move(handler)));
        server.start_accept(std::move(call.post), std::move(call.then));
      },
      token);
}

}  // namespace qsp::tcp
