// The heap of the tests that count: each form of operator new is seen, and each form of delete takes its blocks back.
#include "support/heap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <vector>

namespace qsp::test {
namespace {

struct Forms {
  void* (*make)();
  void (*give_back)(void*);
  std::size_t alignment = alignof(std::max_align_t);
};

constexpr std::size_t kSize = 100;
constexpr std::align_val_t kWide{256};

const std::vector<Forms> kForms = {
    {[] { return ::operator new(kSize); }, [](void* block) { ::operator delete(block); }},
    {[] { return ::operator new(kSize); }, [](void* block) { ::operator delete(block, kSize); }},
    {[] { return ::operator new[](kSize); }, [](void* block) { ::operator delete[](block); }},
    {[] { return ::operator new[](kSize); }, [](void* block) { ::operator delete[](block, kSize); }},
    {[] { return ::operator new(kSize, std::nothrow); }, [](void* block) { ::operator delete(block, std::nothrow); }},
    // As std::stable_sort gives back what it asked for without exceptions.
    {[] { return ::operator new(kSize, std::nothrow); }, [](void* block) { ::operator delete(block); }},
    {[] { return ::operator new[](kSize, std::nothrow); },
     [](void* block) { ::operator delete[](block, std::nothrow); }},
    {[] { return ::operator new(kSize, kWide); }, [](void* block) { ::operator delete(block, kWide); }, 256},
    {[] { return ::operator new(kSize, kWide); }, [](void* block) { ::operator delete(block, kSize, kWide); }, 256},
    {[] { return ::operator new[](kSize, kWide); }, [](void* block) { ::operator delete[](block, kWide); }, 256},
    {[] { return ::operator new[](kSize, kWide); }, [](void* block) { ::operator delete[](block, kSize, kWide); }, 256},
    {[] { return ::operator new(kSize, kWide, std::nothrow); },
     [](void* block) { ::operator delete(block, kWide, std::nothrow); }, 256},
    {[] { return ::operator new[](kSize, kWide, std::nothrow); },
     [](void* block) { ::operator delete[](block, kWide, std::nothrow); }, 256},
};

std::array<std::uint8_t, kSize> pattern() {
  std::array<std::uint8_t, kSize> bytes{};
  for (std::size_t i = 0; i < kSize; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + 3);
  return bytes;
}

bool equals_pattern(Bytes block) { return std::ranges::equal(block, pattern()); }
bool is_pattern(Bytes block, const void* /*what*/) noexcept { return equals_pattern(block); }

std::size_t given_back = 0;

TEST(Heap, sees_every_form_of_new_and_of_delete) {
  heap::observe([](Bytes block) noexcept { given_back += equals_pattern(block) ? 1U : 0U; });
  for (std::size_t i = 0; i < kForms.size(); ++i) {
    SCOPED_TRACE(i);
    const std::size_t made = heap::made();
    given_back = 0;
    void* const block = kForms[i].make();
    EXPECT_EQ(heap::made(), made + 1);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % kForms[i].alignment, 0U);
    std::ranges::copy(pattern(), static_cast<std::uint8_t*>(block));
    EXPECT_TRUE(heap::any_block(is_pattern, nullptr));
    kForms[i].give_back(block);
    EXPECT_EQ(given_back, 1U);
    EXPECT_FALSE(heap::any_block(is_pattern, nullptr));
  }
  heap::observe(nullptr);
}

TEST(Heap, says_what_it_cannot_give) {
  const volatile std::size_t huge = SIZE_MAX;
  EXPECT_THROW(static_cast<void>(::operator new(huge)), std::bad_alloc);
  EXPECT_EQ(::operator new(huge, std::nothrow), nullptr);
  EXPECT_EQ(::operator new(huge, kWide, std::nothrow), nullptr);
}

}  // namespace
}  // namespace qsp::test
