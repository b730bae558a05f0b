#include "rc155/session.hpp"

namespace qsp::rc155 {
Result<std::unique_ptr<Endpoint>> dangerous_make_session(Role, crypto::Provider&) {
  return fail(ErrorKind::Internal, Reason::InternalError, "rc155: not built yet");
}
}  // namespace qsp::rc155
