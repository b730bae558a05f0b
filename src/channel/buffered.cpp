#include "qsp/buffered.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

#include "base/byte_queue.hpp"

namespace qsp {

struct Buffered::State {
  explicit State(std::unique_ptr<Channel> own) : channel(std::move(own)) {}

  /// Bytes leave in the order in which they were made: what the channel has to say comes before a frame sealed later.
  void collect() {
    constexpr std::size_t kPiece = 4'096;
    std::size_t count = kPiece;
    while (count != 0) {
      count = channel->poll_transmit(out.grow(kPiece));
      out.cut(kPiece - count);
    }
  }

  std::unique_ptr<Channel> channel;
  std::vector<std::uint8_t> in = std::vector<std::uint8_t>(Endpoint::kMaxFrameSize);
  std::size_t from = 0, to = 0;  ///< what came and nobody has looked at yet
  ByteQueue out;
  bool unheard = false;  ///< nobody reads any more what this end has to say
};

Buffered::Buffered(std::unique_ptr<Channel> channel) : state_(std::make_unique<State>(std::move(channel))) {
  state_->collect();
}
Buffered::Buffered(Buffered&&) noexcept = default;
Buffered& Buffered::operator=(Buffered&&) noexcept = default;
Buffered::~Buffered() = default;

MutableBytes Buffered::room() {
  State& state = *state_;
  std::copy(state.in.begin() + static_cast<std::ptrdiff_t>(state.from),
            state.in.begin() + static_cast<std::ptrdiff_t>(state.to), state.in.begin());
  state.to -= std::exchange(state.from, 0);
  return MutableBytes(state.in).subspan(state.to);
}

void Buffered::received(std::ptrdiff_t count, Instant now) {
  if (count > 0) {
    state_->to += std::min(static_cast<std::size_t>(count), state_->in.size() - state_->to);
  } else {
    state_->unheard = true;
    state_->channel->handle_end_of_stream(now);
  }
}

std::optional<Event> Buffered::next_event(Instant now) {
  State& state = *state_;
  const auto timer = state.channel->next_timeout();
  if (timer && *timer <= now) state.channel->handle_timeout(now);
  while (true) {
    std::optional<Event> event = state.channel->poll_event();
    state.collect();
    if (const Closed* const closed = event ? std::get_if<Closed>(&*event) : nullptr; closed && closed->by_peer) {
      state.unheard = true;
    }
    if (event || state.from == state.to) return event;
    const MutableBytes unread = MutableBytes(state.in).subspan(state.from, state.to - state.from);
    const std::size_t used = state.channel->handle_bytes(unread, now);
    state.from += used;
    if (used == 0) return std::nullopt;
  }
}

int Buffered::wait_ms(Instant now) const {
  const auto timer = state_->channel->next_timeout();
  if (!timer) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*timer - now).count();
  return static_cast<int>(std::clamp<decltype(wait)>(wait, 0, std::numeric_limits<int>::max()));
}

Result<void> Buffered::send(Bytes data, bool end, Instant now) {
  State& state = *state_;
  do {
    state.collect();
    const Bytes piece = data.first(std::min(data.size(), Endpoint::kMaxPlaintext));
    data = data.subspan(piece.size());
    const auto [head, tail] = state.channel->frame_room();
    const MutableBytes frame = state.out.grow(head + piece.size() + tail);
    std::copy(piece.begin(), piece.end(), frame.begin() + static_cast<std::ptrdiff_t>(head));
    if (auto sealed = state.channel->seal_app_data(frame, piece.size(), end && data.empty(), now); !sealed) {
      state.out.cut(frame.size());
      return sealed;
    }
  } while (!data.empty());
  state.collect();
  return {};
}

Bytes Buffered::unsent() const noexcept { return state_->out.front(); }

void Buffered::sent(std::ptrdiff_t count) {
  if (count > 0) state_->out.drop(std::min(static_cast<std::size_t>(count), state_->out.size()));
}

bool Buffered::over() const noexcept {
  return state_->channel->phase() == Phase::Closed && (state_->out.empty() || state_->unheard);
}

Channel& Buffered::channel() noexcept { return *state_->channel; }

}  // namespace qsp
