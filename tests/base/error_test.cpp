#include "qsp/error.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace qsp {
namespace {

struct Row {
  Reason reason;
  std::uint16_t code;
  std::string_view name;
};

constexpr std::array<Row, 11> kReasons{{
    {Reason::Normal, 0, "NORMAL"},
    {Reason::ProtocolError, 10, "PROTOCOL_ERROR"},
    {Reason::AeadDecryptFailed, 20, "AEAD_DECRYPT_FAILED"},
    {Reason::EpochMismatch, 30, "EPOCH_MISMATCH"},
    {Reason::RekeyFailed, 40, "REKEY_FAILED"},
    {Reason::HandshakeFailed, 50, "HANDSHAKE_FAILED"},
    {Reason::NoCommonSuite, 51, "NO_COMMON_SUITE"},
    {Reason::QkdUnavailable, 60, "QKD_UNAVAILABLE"},
    {Reason::Timeout, 70, "TIMEOUT"},
    {Reason::Limit, 80, "LIMIT"},
    {Reason::InternalError, 90, "INTERNAL_ERROR"},
}};

TEST(Reason, every_code_and_name_is_the_specifications) {
  for (const Row& row : kReasons) {
    EXPECT_EQ(std::to_underlying(row.reason), row.code);
    EXPECT_EQ(name(row.reason), row.name);
  }
}

TEST(Reason, only_assigned_codes_are_read_from_the_wire) {
  std::size_t assigned = 0;
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    const auto reason = reason_from_wire(static_cast<std::uint16_t>(code));
    if (!reason) continue;
    ++assigned;
    EXPECT_EQ(std::to_underlying(*reason), code);
  }
  EXPECT_EQ(assigned, kReasons.size());
}

TEST(ErrorKind, every_kind_has_its_own_name) {
  constexpr auto kLast = std::to_underlying(ErrorKind::Internal);
  for (std::uint8_t a = 0; a <= kLast; ++a) {
    EXPECT_NE(name(static_cast<ErrorKind>(a)), "unknown");
    for (std::uint8_t b = 0; b < a; ++b) EXPECT_NE(name(static_cast<ErrorKind>(a)), name(static_cast<ErrorKind>(b)));
  }
}

TEST(Result, fail_carries_kind_reason_and_place) {
  const Result<int> result = fail(ErrorKind::KeySource, Reason::QkdUnavailable, "here");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::KeySource);
  EXPECT_EQ(result.error().reason, Reason::QkdUnavailable);
  EXPECT_EQ(result.error().where, "here");
}

TEST(Result, is_equal_to_its_value_and_to_no_other) {
  const Result<int> good = 7;
  EXPECT_TRUE(good == 7);
  EXPECT_FALSE(good == 8);
  const Result<int> bad = fail(ErrorKind::Internal, Reason::InternalError, "here");
  EXPECT_FALSE(bad == 7);
  EXPECT_FALSE(bad == 0);
}

TEST(Result, copies_and_moves_as_itself_even_where_its_value_could_be_made_of_it) {
  Result<bool> no = false;
  Result<bool> copy(no);
  ASSERT_TRUE(copy);
  EXPECT_FALSE(*copy) << "the value, not whether there is one";
  const Result<bool> moved(std::move(copy));
  ASSERT_TRUE(moved);
  EXPECT_FALSE(*moved);
}

TEST(Result, is_made_of_an_expected_and_widens_its_value) {
  const Result<std::string> made = std::expected<std::string, Error>("text");
  EXPECT_TRUE(made == "text");
  Result<std::unique_ptr<const int>> widened = Result<std::unique_ptr<int>>(std::make_unique<int>(3));
  ASSERT_TRUE(widened);
  EXPECT_EQ(**widened, 3);
  const Result<void, std::string> failed = std::unexpected("why");
  EXPECT_EQ(failed.error(), "why");
}

}  // namespace
}  // namespace qsp
