#include "constant_time/watch.hpp"

#include <valgrind/memcheck.h>

#include <string>

namespace qsp::test {

void mark_secret(Bytes bytes) noexcept { static_cast<void>(VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size())); }
void mark_secret(std::string_view text) noexcept { mark_secret(as_bytes(text)); }

void mark_secret(const std::uint8_t& byte, std::uint8_t mask) noexcept {
  static_cast<void>(VALGRIND_SET_VBITS(&byte, &mask, 1));
}

void declare_public(Bytes bytes) noexcept { static_cast<void>(VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size())); }
void declare_public(std::string_view text) noexcept { declare_public(as_bytes(text)); }

bool is_secret(Bytes bytes) noexcept {
  for (const std::uint8_t& byte : bytes) {
    std::uint8_t undefined = 0;
    if (VALGRIND_GET_VBITS(&byte, &undefined, 1) == 1 && undefined != 0) return true;
  }
  return false;
}

unsigned reported() noexcept { return VALGRIND_COUNT_ERRORS; }

void ConstantTime::SetUp() {
  ASSERT_NE(RUNNING_ON_VALGRIND, 0U) << "this program shows nothing unless valgrind runs it: see run.py beside it";
  const testing::TestInfo* const test = testing::UnitTest::GetInstance()->current_test_info();
  VALGRIND_PRINTF("%s.%s\n", test->test_suite_name(), test->name());
  before_ = reported();
}

void ConstantTime::TearDown() {
  EXPECT_EQ(reported() - before_, 0U) << "branches or addresses that depend on a secret; valgrind's report has them";
}

}  // namespace qsp::test

/// The linker makes every call of qsp::declassified, from the objects of the release, one of this.
extern "C" std::uint32_t __wrap__ZN3qsp12declassifiedEj(std::uint32_t value) noexcept {
  qsp::test::declare_public(value);
  return value;
}
