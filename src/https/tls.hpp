#pragma once

#include <openssl/ssl.h>

#include <boost/system/error_code.hpp>
#include <memory>
#include <optional>
#include <string>

#include "crypto/openssl/owned.hpp"
#include "files/file.hpp"
#include "https/https.hpp"

/// The TLS policy of this room, over OpenSSL: who is trusted, with what, and what a certificate says.
namespace qsp::https {

/// One end of a connection to be.
using Ssl = Owned<SSL, SSL_free>;
/// What connections are made from. Connections keep it alive.
using TlsContext = std::shared_ptr<SSL_CTX>;

/// Reads and checks the files. The error names the file and the remedy.
files::OrText<TlsContext> make_server_context(const TlsFiles& files);
files::OrText<TlsContext> make_client_context(const TlsFiles& files);

/// Whether a file holds revocation lists that can be read; the error is that of the two above.
files::OrText<void> check_revocation_lists(const std::string& file);

/// A server's end, which demands a certificate. Null: out of memory.
Ssl make_server_end(const TlsContext& context);
/// A client's end: the peer's certificate must be for `name`, a host name or an IP address. Null: out of memory, or no
/// such name can be.
Ssl make_client_end(const TlsContext& context, const std::string& name);

/// The peer at the other end, after its handshake. Nothing where the certificate does not name it clearly: two common
/// names, or control characters (a NUL, say) in a name, which other programs could read as another name.
std::optional<PeerIdentity> peer_identity(const SSL* ssl);

/// Whether a connection's peer, a client, would be admitted by `context` too: by other authorities, say, or newer
/// revocation lists. Its certificate's dates count as well.
bool still_admitted(const TlsContext& context, const SSL* ssl);

struct TlsFailure {
  std::string text;  ///< one phrase for a person, with what can be done
  bool lasting;      ///< it would fail alike again: certificates, or what the two ends speak, do not meet
};

/// Why a client's handshake failed, or its stream after that.
TlsFailure explain_tls(const SSL* ssl, const boost::system::error_code& failed);

/// True where the stream ended without TLS's word for it (close_notify): anybody on the way may have cut it there.
bool is_unvouched_end(const boost::system::error_code& failed) noexcept;

/// True where the peer says that it refused this end's certificate. In TLS 1.3 a client learns that only after its
/// handshake: its first bytes may be on their way, but the server gives up before it looks at them (RFC 8446 §4.4.2.4).
bool is_certificate_alert(const boost::system::error_code& failed) noexcept;

}  // namespace qsp::https
