#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "qsp/channel.hpp"
#include "qsp/export.hpp"
#include "qsp/failure.hpp"
#include "qsp/key_source.hpp"

/// Sessions of QSP 1.0 over TCP: connect or serve, then read and write. The component "tcp".
///
/// Sockets and timers are served by a thread of the library's own, so that keys change while the program does something
/// else. A program may wait in each call; one that has an event loop and must not wait takes the calls that begin with
/// start_, or with Boost.Asio qsp/asio.hpp, which is made of them.
///
/// What a program brings is called by these threads, by several at a time if it has several sessions or servers: key
/// sources, the directory of peers, signers, and each Post. None of them may throw, as an exception on a thread of the
/// library's own ends the process, or wait for a session.
namespace qsp::tcp {

inline constexpr std::uint16_t kDefaultPort = 7155;

struct Address {
  std::string host;  ///< a name or an IP address, without brackets
  std::uint16_t port = kDefaultPort;
};

/// Runs a task later, on a thread of the program's and never within the call: what posting to an event loop is. Any
/// thread calls it, so it does not throw. A task that it drops instead must not be destroyed on the thread that called:
/// it may hold a session. What it posts to lives until each answer has come.
using Post = std::function<void(std::move_only_function<void()>)>;

/// Takes the answer to a call that does not wait: once, by way of the Post beside it.
template <class T>
using Then = std::move_only_function<void(Result<T, Failure>)>;

/// One established session. One thread may read while another writes; the rest may be called by any thread.
class QSP_EXPORT Session {
 public:
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Closes as close() does, but waits 3 s at most.
  ~Session();

  /// Waits for data, and takes at most out.size() bytes of it. 0: the peer writes no more, and all that it wrote was
  /// read. Precondition: `out` is not empty. Error: the session ended before the peer had said that its data is
  /// complete; `reason` says why. Up to 4 MiB wait to be read, then the peer is held up; a program that does not read
  /// for as long as RekeyPolicy::timer then ends the session (SPEC §7.7).
  Result<std::size_t, Failure> read(MutableBytes out);
  /// Hands over all of `data`, and waits while more than 256 KiB wait to be sent. What was handed over is sent before
  /// anything that is called later has an effect on the peer. Errors: the session has ended; ApiMisuse after finish().
  Result<void, Failure> write(Bytes data);
  /// Tells the peer that this end writes no more. Reading goes on. A session in which both ends have done so closes by
  /// itself. Errors: as write().
  Result<void, Failure> finish();

  /// Asks for new keys now, and waits until they are in use. Errors: the session has ended; ApiMisuse.
  Result<void, Failure> rekey();
  /// A key for use outside the session, from the current epoch or the one named; see Endpoint::export_key. Errors: the
  /// session has ended; ApiMisuse.
  Result<Exported, Failure> export_key(std::string_view label, Bytes context, std::size_t size,
                                       std::optional<std::uint32_t> epoch = std::nullopt);
  /// As it is, or after the end as it was last.
  [[nodiscard]] ChannelStatus status() const;

  /// Sends what waits, ends the session with NORMAL unless it is over, and returns once the peer was told or cannot be.
  /// A peer that does not read what waits holds this up until a change of keys is not answered in time, minutes with
  /// the times of RekeyPolicy; the destructor does not wait for it.
  void close();
  /// How the session ended; nothing while it has not. Closed::text may be the peer's.
  [[nodiscard]] std::optional<Closed> closed() const;

  // For a program that must not wait: the same, and `then` has the answer. There may be one of each kind under way at a
  // time, also when the session ends or goes. `out` and `data` last until the answer. Of the calls above, rekey() and
  // close() wait for the peer, read() and write() as they say, and all others for the library's thread at most.

  /// As read().
  void start_read(MutableBytes out, Post post, Then<std::size_t> then);
  /// Hands over as much of `data` as there is room for, and answers how much that was: at least a byte, if it has any.
  void start_write(Bytes data, Post post, Then<std::size_t> then);
  /// As close(). After it the destructor does not wait.
  void start_close(Post post, std::move_only_function<void()> then);

  /// Made by connect() and Server::accept().
  class QSP_HIDDEN Impl;
  explicit Session(std::unique_ptr<Impl> impl) noexcept;

 private:
  std::unique_ptr<Impl> impl_;
};

struct ConnectOptions {
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  ///< for name and connection; the handshake has its own.
                                                                ///< A name may take as long as the system asks for it
  keysource::KeySource* keys = nullptr;  ///< of QKD keys; outlives the session. Null: a session that needs one ends
};

/// Resolves a name, connects to the first of its addresses that answers (RFC 8305), and waits for the session.
/// The provider is used by the library's thread alone from now on; signers that it made outlive it and the session.
/// Errors: Environment where nobody answers; ApiMisuse and Provider as Channel::client; why the handshake ended.
QSP_EXPORT Result<Session, Failure> connect(const Address& address, std::unique_ptr<crypto::Provider> provider,
                                            const ClientOptions& session, const ConnectOptions& options = {});

/// As connect(), for a program that must not wait.
QSP_EXPORT void start_connect(const Address& address, std::unique_ptr<crypto::Provider> provider,
                              const ClientOptions& session, const ConnectOptions& options, Post post,
                              Then<Session> then);

struct ServeOptions {
  std::size_t sessions = 1'000;            ///< of any phase at once; a newcomer beyond is told that there is no room.
                                           ///< As many wait to be accepted; beyond, those that have ended are dropped
  std::size_t handshakes = 256;            ///< of these, not authenticated yet
  std::size_t handshakes_per_source = 16;  ///< likewise, from one IPv4 address or IPv6 /64
  keysource::KeySource* keys = nullptr;    ///< of QKD keys; outlives the server
};

/// Accepts sessions. Its members may be called by any thread.
class QSP_EXPORT Server {
 public:
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Ends its sessions with NORMAL; waits 3 s for their peers at most.
  ~Server();

  /// Waits for the next session that is established. A handshake that fails is nobody's concern here. Error: stop() was
  /// called.
  Result<Session, Failure> accept();
  /// As accept(), for a program that must not wait: one at a time. Its answer may also come when the server goes.
  void start_accept(Post post, Then<Session> then);
  /// The address that it listens on, with the port that the system chose where 0 was asked for.
  [[nodiscard]] Address address() const;
  /// Accepts no more, and ends every session with NORMAL.
  void stop();

  class QSP_HIDDEN Impl;
  explicit Server(std::unique_ptr<Impl> impl) noexcept;

 private:
  std::unique_ptr<Impl> impl_;
};

/// Listens on every address of a name. The provider is used by the library's thread alone from now on; the signers and
/// peers of `session` outlive the server. Errors: Environment where it cannot listen; ApiMisuse and Provider as
/// Channel::server.
QSP_EXPORT Result<Server, Failure> serve(const Address& address, std::unique_ptr<crypto::Provider> provider,
                                         const ServerOptions& session, const ServeOptions& options = {});

}  // namespace qsp::tcp
