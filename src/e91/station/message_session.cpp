#include "e91/station/message_session.hpp"

#include <algorithm>
#include <utility>

#include "base/try.hpp"
#include "qsp/secret.hpp"

namespace qsp::e91::station {

MessageSession::MessageSession(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                               std::unique_ptr<Endpoint> session, net::ConnectionOwner& owner, MessageHandler& handler,
                               std::size_t most)
    : MessageSession(loop, std::move(socket), peer, *session, std::move(session), owner, handler, most) {}

MessageSession::MessageSession(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, Endpoint& session,
                               std::unique_ptr<Endpoint>&& endpoint, net::ConnectionOwner& owner,
                               MessageHandler& handler, std::size_t most)
    : Connection(loop, std::move(socket), peer, std::move(endpoint), owner),
      session_(session),
      handler_(handler),
      reader_(most) {}

void MessageSession::post(Bytes message) {
  if (waiting_.size() - sent_ + message.size() > kMaxQueued) {
    return close(Reason::Limit, "this end's messages are not read");
  }
  const std::vector<std::uint8_t> head = frame_head(message.size());
  waiting_.append(head);
  waiting_.append(message);
  wake();
}

void MessageSession::produce() {
  while (sent_ < waiting_.size() && queued() < kHighWater) {
    const MutableBytes plaintext = reserve();
    if (plaintext.empty()) return;
    const std::size_t size = std::min(plaintext.size(), waiting_.size() - sent_);
    std::ranges::copy(waiting_.reveal().subspan(sent_, size), plaintext.begin());
    if (!send_reserved(size, false)) return;  // closes the session
    sent_ += size;
  }
  if (sent_ < waiting_.size() || waiting_.empty()) return;
  waiting_.clear();
  sent_ = 0;
}

void MessageSession::handle_data(const AppData& data) {
  Bytes stream = data.data;
  while (endpoint().phase() == Phase::Established) {
    auto message = reader_.next(stream);
    if (!message) return close(Reason::ProtocolError, message.error().where);
    auto& whole = *message;
    if (!whole) break;
    handler_.session_message(*this, whole->reveal());
  }
  if (data.end) close(Reason::Normal, "");
}

std::string MessageSession::peer_name() const { return session_.status().peer; }

Result<SecretBytes> MessageSession::export_key(std::string_view label, std::size_t size) {
  QSP_TRY(auto exported, session_.export_key(label, {}, size, 1));
  return std::move(exported.key);
}

}  // namespace qsp::e91::station
