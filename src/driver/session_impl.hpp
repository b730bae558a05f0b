#pragma once

#include <memory>
#include <utility>

#include "driver/mailbox.hpp"
#include "qsp/tcp.hpp"

namespace qsp::tcp {

class Session::Impl {
 public:
  /// `keeper`: what the session lives on, if it is this session's alone. It goes when the connection is gone.
  explicit Impl(std::shared_ptr<driver::Mailbox> mailbox, std::shared_ptr<void> keeper = nullptr)
      : keeper_(std::move(keeper)), mailbox_(std::move(mailbox)) {}
  ~Impl() { mailbox_->close(kLastWords); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] driver::Mailbox& mailbox() noexcept { return *mailbox_; }

 private:
  static constexpr std::chrono::seconds kLastWords{3};

  std::shared_ptr<void> keeper_;
  std::shared_ptr<driver::Mailbox> mailbox_;
};

}  // namespace qsp::tcp
