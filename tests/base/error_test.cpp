#include "qsp/error.hpp"

#include <gtest/gtest.h>

#include <array>
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

TEST(Reason, EveryCodeAndNameIsTheSpecifications) {
  for (const Row& row : kReasons) {
    EXPECT_EQ(std::to_underlying(row.reason), row.code);
    EXPECT_EQ(name(row.reason), row.name);
  }
}

TEST(Reason, OnlyAssignedCodesAreReadFromTheWire) {
  std::size_t assigned = 0;
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    const auto reason = reason_from_wire(static_cast<std::uint16_t>(code));
    if (!reason) continue;
    ++assigned;
    EXPECT_EQ(std::to_underlying(*reason), code);
  }
  EXPECT_EQ(assigned, kReasons.size());
}

TEST(ErrorKind, EveryKindHasItsOwnName) {
  constexpr auto kLast = std::to_underlying(ErrorKind::Internal);
  for (std::uint8_t a = 0; a <= kLast; ++a) {
    EXPECT_NE(name(static_cast<ErrorKind>(a)), "unknown");
    for (std::uint8_t b = 0; b < a; ++b) EXPECT_NE(name(static_cast<ErrorKind>(a)), name(static_cast<ErrorKind>(b)));
  }
}

TEST(Result, FailCarriesKindReasonAndPlace) {
  const Result<int> result = fail(ErrorKind::KeySource, Reason::QkdUnavailable, "here");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::KeySource);
  EXPECT_EQ(result.error().reason, Reason::QkdUnavailable);
  EXPECT_EQ(result.error().where, "here");
}

}  // namespace
}  // namespace qsp
