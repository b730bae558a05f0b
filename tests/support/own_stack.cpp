#include "support/own_stack.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace qsp::test {
namespace {

constexpr std::size_t kSize = std::size_t{4} * 1024 * 1024;

void* call(void* work) {
  (*static_cast<const std::function<void()>*>(work))();
  return nullptr;
}

}  // namespace

OwnStack::OwnStack() : memory_(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
  EXPECT_NE(memory_, MAP_FAILED);
}

OwnStack::~OwnStack() { ::munmap(memory_, kSize); }

void OwnStack::run(const std::function<void()>& work) {
  std::memset(memory_, 0, kSize);
  pthread_attr_t attributes;
  ASSERT_EQ(::pthread_attr_init(&attributes), 0);
  ASSERT_EQ(::pthread_attr_setstack(&attributes, memory_, kSize), 0);
  pthread_t thread{};
  ASSERT_EQ(::pthread_create(&thread, &attributes, call, const_cast<std::function<void()>*>(&work)), 0);
  EXPECT_EQ(::pthread_join(thread, nullptr), 0);
  ::pthread_attr_destroy(&attributes);
}

bool OwnStack::holds(Bytes wanted) const {
  const Bytes all(static_cast<const std::uint8_t*>(memory_), kSize);
  return std::search(all.begin(), all.end(), wanted.begin(), wanted.end()) != all.end();
}

}  // namespace qsp::test
