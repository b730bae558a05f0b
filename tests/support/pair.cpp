#include "support/pair.hpp"

#include <algorithm>
#include <utility>

#include "wire/cursor.hpp"
#include "wire/frame.hpp"

namespace qsp::test {

std::vector<std::uint8_t> Seen::received() const {
  std::vector<std::uint8_t> joined;
  for (const Frame& piece : data) joined.insert(joined.end(), piece.begin(), piece.end());
  return joined;
}

Pair::Pair(std::unique_ptr<Endpoint> client, std::unique_ptr<Endpoint> server) {
  end(Role::Client).endpoint = std::move(client);
  end(Role::Server).endpoint = std::move(server);
  advance({});
}

Result<void> Pair::send(Role from, Bytes plaintext, bool end_of_data) {
  const FrameRoom room = at(from).frame_room();
  Frame frame(room.head + plaintext.size() + room.tail);
  std::ranges::copy(plaintext, frame.begin() + static_cast<std::ptrdiff_t>(room.head));
  auto sealed = at(from).seal_app_data(frame, plaintext.size(), end_of_data, now_);
  if (sealed) {
    end(from).made.push_back(frame);
    end(from).in_flight.push_back(std::move(frame));
  }
  drain(from);
  return sealed;
}

Result<void> Pair::rekey(Role who) {
  auto asked = at(who).request_rekey(now_);
  drain(who);
  return asked;
}

void Pair::close(Role who, Reason reason, std::string_view text) {
  at(who).close(reason, text);
  drain(who);
}

bool Pair::deliver(Role from) {
  auto& queue = end(from).in_flight;
  if (queue.empty()) return false;
  const Frame frame = std::move(queue.front());
  queue.pop_front();
  inject(other(from), frame);
  return true;
}

void Pair::run() {
  bool moved = true;
  while (moved) {
    const bool up = deliver(Role::Client);
    const bool down = deliver(Role::Server);
    moved = up || down;
  }
}

void Pair::inject(Role to, Bytes bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(chunk_, bytes.size());
    feed(to, bytes.first(size));
    bytes = bytes.subspan(size);
  }
}

void Pair::cut(Role from, std::size_t bytes) {
  Frame stream;
  for (const Frame& frame : in_flight(from)) stream.insert(stream.end(), frame.begin(), frame.end());
  in_flight(from).clear();
  inject(other(from), Bytes(stream).first(std::min(bytes, stream.size())));
  end_of_stream(from);
}

void Pair::end_of_stream(Role from) {
  at(other(from)).handle_end_of_stream(now_);
  drain(other(from));
}

void Pair::advance(Instant by) {
  now_ += by;
  for (const Role role : {Role::Client, Role::Server}) {
    if (const auto due = at(role).next_timeout(); due && *due <= now_) {
      at(role).handle_timeout(now_);
      if (const auto next = at(role).next_timeout(); next && *next <= now_) breach("a timeout handled is still due");
    }
    drain(role);
  }
}

void Pair::feed(Role to, Bytes bytes) {
  auto& unread = end(to).unread;
  unread.insert(unread.end(), bytes.begin(), bytes.end());
  while (!unread.empty()) {
    const bool closed = at(to).phase() == Phase::Closed;
    const std::size_t used = at(to).handle_bytes(unread, now_);
    drain(to);
    if (used > unread.size()) breach("handle_bytes used more than it was given");
    if (closed && used != unread.size()) breach("a closed endpoint left bytes");
    if (used == 0) {
      const std::size_t needed = at(to).bytes_needed();
      if (needed <= unread.size()) breach("a whole frame was not handled");
      if (needed > Endpoint::kMaxFrameSize) breach("bytes_needed beyond kMaxFrameSize");
      return;
    }
    unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(std::min(used, unread.size())));
  }
}

void Pair::drain(Role role) {
  End& side = end(role);
  while (auto event = side.endpoint->poll_event()) note(role, std::move(*event));

  // Seven bytes at a time: what a driver polls need not be a whole frame.
  std::vector<std::uint8_t> bytes;
  std::array<std::uint8_t, 7> piece;
  while (const std::size_t size = side.endpoint->poll_transmit(piece)) {
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
  }
  for (MutableBytes rest(bytes); !rest.empty();) {
    const auto decoded = wire::decode_frame(rest, [](const wire::FrameHeader&) { return Result<void>{}; });
    const auto* frame = decoded ? std::get_if<wire::FrameView>(&*decoded) : nullptr;
    if (frame == nullptr) {
      breach("poll_transmit gave something that is not a whole frame");
      return;
    }
    side.made.emplace_back(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(frame->size()));
    side.in_flight.push_back(side.made.back());
    rest = rest.subspan(frame->size());
  }
}

void Pair::note(Role role, Event&& event) {
  Seen& seen = end(role).seen;
  if (seen.closed) breach("an event after Closed");
  if (auto* established = std::get_if<Established>(&event)) {
    if (seen.session_id) breach("Established twice");
    seen.session_id = established->session_id;
  } else if (auto* changed = std::get_if<EpochChanged>(&event)) {
    seen.epochs.push_back(changed->epoch);
  } else if (auto* data = std::get_if<AppData>(&event)) {
    if (!seen.session_id) breach("AppData before Established");
    if (seen.end) breach("AppData after the end");
    seen.data.emplace_back(data->data.begin(), data->data.end());
    seen.end = data->end;
  } else if (auto* needed = std::get_if<QkdKeyNeeded>(&event)) {
    seen.qkd.push_back(std::move(*needed));
  } else if (auto* closed = std::get_if<Closed>(&event)) {
    seen.closed = std::move(*closed);
  }
}

}  // namespace qsp::test
