#include "json/freed_memory.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>
#include <utility>

namespace {

std::string_view wanted;
std::size_t count = 0;

void give_back(void* block) noexcept {
  if (block == nullptr) return;
  if (!wanted.empty()) {
    const std::string_view content(static_cast<const char*>(block), ::malloc_usable_size(block));
    if (content.find(wanted) != std::string_view::npos) ++count;
  }
  std::free(block);
}

void* take(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

namespace qsp::freed_memory {

void watch_for(std::string_view secret) {
  wanted = secret;
  count = 0;
}

std::size_t found() {
  wanted = {};
  return std::exchange(count, 0);
}

}  // namespace qsp::freed_memory

void* operator new(std::size_t size) { return take(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t align) {
  const auto alignment = static_cast<std::size_t>(align);
  return take(std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment));
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete(void* block, std::align_val_t) noexcept { give_back(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }
