#pragma once

#include <fcntl.h>

namespace qsp::net {

/// Asio opens and accepts sockets that every program which this one starts would inherit. Held open there, a session's
/// would outlive the session, and a listener's would keep its port. Whoever starts a program in the moment before this
/// call still passes it on.
template <class Socket>
void keep_from_children(Socket& socket) noexcept {
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);  // NOLINT(*-vararg): its only form. It fails for no open one
}

}  // namespace qsp::net
