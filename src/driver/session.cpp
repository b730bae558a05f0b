#include "driver/answer.hpp"
#include "driver/session_impl.hpp"

namespace qsp::tcp {

Session::Session(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<std::size_t, Failure> Session::read(MutableBytes out) { return impl_->mailbox().read(out); }
Result<void, Failure> Session::write(Bytes data) { return impl_->mailbox().write(data); }
Result<void, Failure> Session::finish() { return impl_->mailbox().end_output(); }
Result<void, Failure> Session::rekey() { return impl_->mailbox().rekey(); }

Result<Exported, Failure> Session::export_key(std::string_view label, Bytes context, std::size_t size,
                                              std::optional<std::uint32_t> epoch) {
  return impl_->mailbox().export_key(label, context, size, epoch);
}

void Session::start_read(MutableBytes out, Post post, Then<std::size_t> then) {
  impl_->mailbox().when_read(out, driver::by_way_of(std::move(post), std::move(then)));
}
void Session::start_write(Bytes data, Post post, Then<std::size_t> then) {
  impl_->mailbox().when_written(data, driver::by_way_of(std::move(post), std::move(then)));
}
void Session::start_close(Post post, std::move_only_function<void()> then) {
  impl_->mailbox().when_gone([post = std::move(post), then = std::move(then)]() mutable { post(std::move(then)); });
}

ChannelStatus Session::status() const { return impl_->mailbox().status(); }
void Session::close() { impl_->mailbox().close(std::nullopt); }
std::optional<Closed> Session::closed() const { return impl_->mailbox().closed(); }

}  // namespace qsp::tcp
