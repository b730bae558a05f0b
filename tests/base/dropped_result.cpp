// Never part of a program: the compiler refuses it with DROP, and takes it without (tests/base/CMakeLists.txt).
#include "qsp/error.hpp"

qsp::Result<void> may_fail();

bool call() {
#ifdef DROP
  may_fail();
#endif
  return may_fail().has_value();
}
