#include "support/heap.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

namespace {

/// Stands right ahead of what operator new returns.
struct alignas(std::max_align_t) Block {
  Block* before;
  Block* behind;
  void* start;  ///< what the system gave; alignment may leave a gap behind it
  std::size_t size;
};

constinit Block ring{.before = &ring, .behind = &ring, .start = nullptr, .size = 0};
constinit std::mutex ring_mutex;
constinit std::atomic<std::size_t> count = 0;
constinit std::atomic<qsp::test::heap::Observer> watching = nullptr;

qsp::Bytes contents(const Block* block) { return {reinterpret_cast<const std::uint8_t*>(block + 1), block->size}; }

// Not inlined: where GCC sees through one of a pair alone, it takes std::free for the wrong partner of `new`.
[[gnu::noinline]] void* make(std::size_t size, std::size_t alignment) noexcept {
  alignment = std::max(alignment, alignof(Block));
  const std::size_t head = (sizeof(Block) + alignment - 1) / alignment * alignment;
  if (size > SIZE_MAX - head - alignment) return nullptr;
  // aligned_alloc asks for a multiple of the alignment. An ordinary block is as large as asked, so that
  // AddressSanitizer sees its end.
  void* const start = alignment == alignof(Block)
                          ? std::malloc(head + size)
                          : std::aligned_alloc(alignment, (head + size + alignment - 1) / alignment * alignment);
  if (start == nullptr) return nullptr;
  auto* const block = reinterpret_cast<Block*>(static_cast<std::uint8_t*>(start) + head) - 1;
  ++count;
  const std::scoped_lock lock(ring_mutex);
  *block = {.before = ring.before, .behind = &ring, .start = start, .size = size};
  ring.before->behind = block;
  ring.before = block;
  return block + 1;
}

void* make_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const made = make(size, alignment)) return made;
  throw std::bad_alloc();
}

[[gnu::noinline]] void give_back(void* old) noexcept {
  if (old == nullptr) return;
  auto* const block = static_cast<Block*>(old) - 1;
  if (const auto observer = watching.load()) observer(contents(block));
  {
    const std::scoped_lock lock(ring_mutex);
    block->before->behind = block->behind;
    block->behind->before = block->before;
  }
  std::free(block->start);
}

constexpr std::size_t kPlain = alignof(Block);
constexpr std::size_t number(std::align_val_t alignment) noexcept { return static_cast<std::size_t>(alignment); }

}  // namespace

namespace qsp::test::heap {

std::size_t made() noexcept { return count; }

void observe(Observer observer) noexcept { watching = observer; }

bool any_block(Search search, const void* what) noexcept {
  const std::scoped_lock lock(ring_mutex);
  for (const Block* block = ring.behind; block != &ring; block = block->behind) {
    if (search(contents(block), what)) return true;
  }
  return false;
}

}  // namespace qsp::test::heap

// [new.delete]: every replaceable form.
using std::align_val_t, std::nothrow_t, std::size_t;

void* operator new(size_t size) { return make_or_throw(size, kPlain); }
void* operator new[](size_t size) { return make_or_throw(size, kPlain); }
void* operator new(size_t size, align_val_t alignment) { return make_or_throw(size, number(alignment)); }
void* operator new[](size_t size, align_val_t alignment) { return make_or_throw(size, number(alignment)); }
void* operator new(size_t size, const nothrow_t&) noexcept { return make(size, kPlain); }
void* operator new[](size_t size, const nothrow_t&) noexcept { return make(size, kPlain); }
void* operator new(size_t size, align_val_t alignment, const nothrow_t&) noexcept {
  return make(size, number(alignment));
}
void* operator new[](size_t size, align_val_t alignment, const nothrow_t&) noexcept {
  return make(size, number(alignment));
}

void operator delete(void* old) noexcept { give_back(old); }
void operator delete[](void* old) noexcept { give_back(old); }
void operator delete(void* old, size_t) noexcept { give_back(old); }
void operator delete[](void* old, size_t) noexcept { give_back(old); }
void operator delete(void* old, align_val_t) noexcept { give_back(old); }
void operator delete[](void* old, align_val_t) noexcept { give_back(old); }
void operator delete(void* old, size_t, align_val_t) noexcept { give_back(old); }
void operator delete[](void* old, size_t, align_val_t) noexcept { give_back(old); }
void operator delete(void* old, const nothrow_t&) noexcept { give_back(old); }
void operator delete[](void* old, const nothrow_t&) noexcept { give_back(old); }
void operator delete(void* old, align_val_t, const nothrow_t&) noexcept { give_back(old); }
void operator delete[](void* old, align_val_t, const nothrow_t&) noexcept { give_back(old); }
