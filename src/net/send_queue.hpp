#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "qsp/bytes.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::net {

/// A piece of a send queue: two frames of the largest size, so that small frames share one write.
struct Chunk {
  static constexpr std::size_t kSize = 2 * Endpoint::kMaxFrameSize;

  std::unique_ptr<Chunk> next;
  std::size_t begin = 0;  ///< written to the socket before it
  std::size_t end = 0;    ///< filled before it
  std::array<std::uint8_t, kSize> bytes;
};

/// The chunks that the sessions of one thread lend each other. A session that has nothing to write holds none.
class ChunkPool {
 public:
  std::unique_ptr<Chunk> take();
  void give(std::unique_ptr<Chunk> chunk) noexcept;

 private:
  /// 4 MiB stay for the next burst; what a larger one took goes back to the system.
  static constexpr std::size_t kKept = 32;

  std::unique_ptr<Chunk> free_;
  std::size_t kept_ = 0;
};

/// Bytes that wait for a socket or pipe, in the order in which they were made. Frames are built where they are written.
class SendQueue {
 public:
  using Buffers = std::array<boost::asio::const_buffer, 8>;

  explicit SendQueue(ChunkPool& pool) noexcept : pool_(pool) {}
  ~SendQueue() { clear(); }
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  /// Room for `size` contiguous bytes at the end of the queue, until the next call. Precondition: size <=
  /// kMaxFrameSize.
  MutableBytes reserve(std::size_t size);
  /// Queues the first `size` bytes of the last reserve().
  void commit(std::size_t size) noexcept;
  /// Queues a copy, in as many chunks as it takes.
  void append(Bytes bytes);

  /// The front of the queue for one gathering write; valid until the next call that changes the queue.
  [[nodiscard]] std::span<const boost::asio::const_buffer> front(Buffers& storage) const noexcept;
  /// Removes bytes that were written. Precondition: count is at most what front() showed.
  void consume(std::size_t count) noexcept;
  /// Gives every chunk back.
  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  ChunkPool& pool_;
  std::unique_ptr<Chunk> head_;
  Chunk* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace qsp::net
