#pragma once

#include "qsp/bytes.hpp"
#include "qsp/export.hpp"

namespace qsp {

/// What a server of profile 1.0 that is full writes to a newcomer, or to a connection that it displaces before its
/// CLIENT_HELLO, and then closes: the clear ALERT of SPEC §5.8 with LIMIT. It costs no key and no signature. Lives for
/// ever.
QSP_EXPORT Bytes full_alert();

}  // namespace qsp
