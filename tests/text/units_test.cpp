#include "text/units.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace qsp::text {
namespace {

using namespace std::chrono_literals;

TEST(Units, times_are_a_number_and_a_unit) {
  EXPECT_EQ(parse_time("500ms"), 500ms);
  EXPECT_EQ(parse_time("2m"), 2min);
  EXPECT_EQ(parse_time("1h"), 1h);
  EXPECT_EQ(parse_time("1.5h"), 90min);
  EXPECT_EQ(parse_time("0.25s"), 250ms);
  EXPECT_EQ(parse_time("3d"), 72h);
  EXPECT_EQ(parse_time("45ns"), 45ns);
  EXPECT_EQ(parse_time("7us"), 7us);
  EXPECT_EQ(parse_time("-3h"), -3h);
  EXPECT_EQ(parse_time("0"), 0s);
}

TEST(Units, a_plain_number_is_in_the_options_own_unit) {
  EXPECT_EQ(parse_time("120"), 120s);
  EXPECT_EQ(parse_time("0.5"), 500ms);
  EXPECT_EQ(parse_time("800", 1ms), 800ms);
  EXPECT_EQ(parse_time("800s", 1ms), 800s);
}

TEST(Units, what_is_no_time_is_refused) {
  for (const char* const text :
       {"", "s", "5 s", " 5s", "5s ", "5S", "5min", "nan", "inf", "1e400", "five", "0x10", "5ss", "--5"}) {
    const auto time = parse_time(text);
    ASSERT_FALSE(time) << text;
    EXPECT_TRUE(time.error().starts_with("takes a time")) << time.error();
  }
  EXPECT_TRUE(parse_time("1000000000"));
  EXPECT_FALSE(parse_time("1000000001"));
  EXPECT_FALSE(parse_time("1e300d"));
}

TEST(Units, sizes_are_powers_of_1024) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("1000"), 1000U);
  EXPECT_EQ(parse_size("64K"), 65'536U);
  EXPECT_EQ(parse_size("64KiB"), 65'536U);
  EXPECT_EQ(parse_size("2G"), std::uint64_t{2} << 30);
  EXPECT_EQ(parse_size("3M"), std::uint64_t{3} << 20);
  EXPECT_EQ(parse_size("16777215T"), std::uint64_t{16'777'215} << 40);
  EXPECT_EQ(parse_size("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
}

TEST(Units, what_is_no_size_is_refused) {
  for (const char* const text : {"", "K", "-1", "1.5G", "64 K", "64k", "64KB", "64kb", "5X", "0x10", "64K "}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
  for (const char* const text : {"18446744073709551616", "16777216T", "99999999999999999999999G"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error(), "takes a size below 2^64 bytes");
  }
}

TEST(Units, are_written_as_they_are_read) {
  EXPECT_EQ(time_text(120s), "2m");
  EXPECT_EQ(time_text(90s), "90s");
  EXPECT_EQ(time_text(500ms), "500ms");
  EXPECT_EQ(time_text(0s), "0s");
  EXPECT_EQ(time_text(1h), "1h");
  EXPECT_EQ(time_text(1ns), "1ns");
  EXPECT_EQ(size_text(65'536), "64K");
  EXPECT_EQ(size_text(std::uint64_t{1} << 36), "64G");
  EXPECT_EQ(size_text(1000), "1000");
  EXPECT_EQ(size_text(0), "0");
  for (const std::chrono::nanoseconds time :
       std::initializer_list<std::chrono::nanoseconds>{1ns, 17us, 250ms, 61s, 2h}) {
    EXPECT_EQ(parse_time(time_text(time)), time);
  }
  for (const std::uint64_t size : {1ULL, 1023ULL, 1024ULL, 1ULL << 45}) EXPECT_EQ(parse_size(size_text(size)), size);
}

TEST(Units, digits_stand_in_groups_of_three) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(12'345'678), "12,345,678");
  EXPECT_EQ(grouped(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

}  // namespace
}  // namespace qsp::text
