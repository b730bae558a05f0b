#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "support/pair.hpp"

namespace qsp::test {

inline constexpr std::array kBoth{Role::Client, Role::Server};

/// Numbered lines in both directions, compared as they arrive.
class Traffic {
 public:
  explicit Traffic(Pair& pair) : pair_(pair) {}

  void send(Role from) {
    const std::string line = "line " + std::to_string(lines_++) + "\n";
    ASSERT_TRUE(pair_.send(from, line)) << "after " << line;
    sent_[static_cast<std::size_t>(from)] += line;
  }
  void send_both() {
    for (const Role role : kBoth) send(role);
  }
  void expect_all_arrived() const {
    for (const Role from : kBoth) {
      EXPECT_EQ(as_text(pair_.seen(other(from)).received()), sent_[static_cast<std::size_t>(from)]);
    }
  }

 private:
  Pair& pair_;
  std::size_t lines_ = 0;
  std::array<std::string, 2> sent_;
};

}  // namespace qsp::test
