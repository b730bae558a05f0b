#pragma once

/// All of the core: a session of QSP 1.0 without I/O, and what it is made of. The other components have a header each:
/// qsp/openssl.hpp, qsp/identity.hpp, qsp/qkd.hpp, qsp/tcp.hpp with qsp/asio.hpp (docs/embedding.md).
#include "qsp/buffered.hpp"
#include "qsp/bytes.hpp"
#include "qsp/channel.hpp"
#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"
#include "qsp/error.hpp"
#include "qsp/export.hpp"
#include "qsp/full_alert.hpp"
#include "qsp/key_source.hpp"
#include "qsp/peer.hpp"
#include "qsp/secret.hpp"
#include "qsp/secret_bytes.hpp"
#include "qsp/suites.hpp"
#include "qsp/version.hpp"
