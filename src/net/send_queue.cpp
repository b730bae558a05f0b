#include "net/send_queue.hpp"

#include <algorithm>
#include <utility>

namespace qsp::net {

std::unique_ptr<Chunk> ChunkPool::take() {
  if (!free_) return std::make_unique_for_overwrite<Chunk>();
  std::unique_ptr<Chunk> chunk = std::move(free_);
  free_ = std::move(chunk->next);
  --kept_;
  chunk->begin = chunk->end = 0;
  return chunk;
}

void ChunkPool::give(std::unique_ptr<Chunk> chunk) noexcept {
  if (kept_ == kKept) return;
  chunk->next = std::move(free_);
  free_ = std::move(chunk);
  ++kept_;
}

MutableBytes SendQueue::reserve(std::size_t size) {
  if (!tail_ || Chunk::kSize - tail_->end < size) {
    std::unique_ptr<Chunk> chunk = pool_.take();
    Chunk* const fresh = chunk.get();
    (tail_ ? tail_->next : head_) = std::move(chunk);
    tail_ = fresh;
  }
  return MutableBytes(tail_->bytes).subspan(tail_->end, size);
}

void SendQueue::commit(std::size_t size) noexcept {
  tail_->end += size;
  size_ += size;
}

void SendQueue::append(Bytes bytes) {
  while (!bytes.empty()) {
    const std::size_t left = tail_ == nullptr ? 0 : Chunk::kSize - tail_->end;
    const std::size_t count = std::min(bytes.size(), left == 0 ? Chunk::kSize : left);
    std::copy_n(bytes.begin(), count, reserve(count).begin());
    commit(count);
    bytes = bytes.subspan(count);
  }
}

std::span<const boost::asio::const_buffer> SendQueue::front(Buffers& storage) const noexcept {
  std::size_t count = 0;
  for (const Chunk* chunk = head_.get(); chunk != nullptr && count < storage.size(); chunk = chunk->next.get()) {
    if (chunk->end == chunk->begin) continue;
    storage[count++] = boost::asio::const_buffer(chunk->bytes.data() + chunk->begin, chunk->end - chunk->begin);
  }
  return std::span(storage).first(count);
}

void SendQueue::consume(std::size_t count) noexcept {
  size_ -= count;
  if (size_ == 0) {
    clear();
    return;
  }
  while (count >= head_->end - head_->begin) {
    count -= head_->end - head_->begin;
    std::unique_ptr<Chunk> done = std::move(head_);
    head_ = std::move(done->next);
    pool_.give(std::move(done));
  }
  head_->begin += count;
}

void SendQueue::clear() noexcept {
  while (head_) {
    std::unique_ptr<Chunk> done = std::move(head_);
    head_ = std::move(done->next);
    pool_.give(std::move(done));
  }
  tail_ = nullptr;
  size_ = 0;
}

}  // namespace qsp::net
