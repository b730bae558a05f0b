#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "driver/mailbox.hpp"
#include "net/connection.hpp"

namespace qsp::driver {

/// A connection whose application is a program that waits: it has the other end of the mailbox.
class Stream final : public net::Connection {
 public:
  /// `stall_limit`: how long the program may leave Mailbox::kMaxWaiting unread.
  static net::ConnectionPtr make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                 std::unique_ptr<Channel> channel, net::ConnectionOwner& owner,
                                 std::chrono::nanoseconds stall_limit, std::shared_ptr<Mailbox> mailbox);
  ~Stream() override { mailbox_->finish(); }

  [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const noexcept { return mailbox_; }
  [[nodiscard]] Channel& channel() noexcept { return channel_; }
  Result<void> ask_for_keys() { return request_rekey(); }
  /// The program has changed something.
  void look() { wake(); }

 private:
  Stream(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
         Channel& channel, net::ConnectionOwner& owner, std::chrono::nanoseconds stall_limit,
         std::shared_ptr<Mailbox> mailbox);

  void handle_data(const AppData& data) override { mailbox_->take(data.data, data.end); }
  void handle_established() override { mailbox_->begin(); }
  void handle_epoch(std::uint32_t) override { mailbox_->keys_changed(); }
  void handle_finished() override { mailbox_->finish(); }
  void produce() override;
  [[nodiscard]] bool wants_input() const override { return mailbox_->wants_more(); }
  [[nodiscard]] std::optional<Instant> deadline() const override;
  void handle_deadline() override { close(Reason::Timeout, "the application does not read"); }

  Channel& channel_;  ///< the endpoint
  std::chrono::nanoseconds stall_limit_;
  std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace qsp::driver
