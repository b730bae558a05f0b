#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "node/echo_client.hpp"

namespace qsp::node {
namespace {

using Buffer = std::vector<std::uint8_t>;

TEST(EchoWindow, matches_what_was_sent_however_it_is_cut_and_wrapped) {
  EchoWindow window(1000);
  std::mt19937 random(1);
  Buffer sent;
  std::size_t matched = 0;
  for (int step = 0; step < 5000; ++step) {
    Buffer piece(std::min<std::size_t>(random() % 400, window.room()));
    std::ranges::generate(piece, [&random] { return static_cast<std::uint8_t>(random()); });
    window.push(piece);
    sent.insert(sent.end(), piece.begin(), piece.end());
    const std::size_t count = random() % (window.size() + 1);
    ASSERT_TRUE(window.match(Bytes(sent).subspan(matched, count)));
    matched += count;
    ASSERT_EQ(window.size(), sent.size() - matched);
    ASSERT_EQ(window.room(), 1000 - window.size());
  }
}

TEST(EchoWindow, refuses_a_different_byte_anywhere_and_too_many_bytes) {
  for (std::size_t start = 0; start < 10; ++start) {
    for (std::size_t wrong = 0; wrong < 10; ++wrong) {
      EchoWindow window(10);
      window.push(Buffer(start));
      ASSERT_TRUE(window.match(Buffer(start)));
      Buffer bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
      window.push(bytes);
      Buffer longer = bytes;
      longer.push_back(10);
      EXPECT_FALSE(window.match(longer));
      bytes[wrong] ^= 0x80;
      EXPECT_FALSE(window.match(bytes));
      bytes[wrong] ^= 0x80;
      EXPECT_TRUE(window.match(bytes));
      EXPECT_TRUE(window.empty());
    }
  }
}

}  // namespace
}  // namespace qsp::node
