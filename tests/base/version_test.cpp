#include "qsp/version.hpp"

#include <gtest/gtest.h>

#include <string>

namespace qsp {
namespace {

TEST(Version, is_the_same_as_text_and_as_numbers) {
  const std::string text = std::to_string(QSP_VERSION_MAJOR) + '.' + std::to_string(QSP_VERSION_MINOR) + '.' +
                           std::to_string(QSP_VERSION_PATCH);
  EXPECT_EQ(kVersion, text);
  EXPECT_EQ(version(), text);
  EXPECT_EQ(version_number(), QSP_VERSION_NUMBER);
}

}  // namespace
}  // namespace qsp
