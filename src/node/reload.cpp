#include "node/reload.hpp"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <memory>
#include <system_error>

namespace qsp::node {

void Reloader::reload() try {
  if (std::exchange(running_, true)) {
    again_ = true;
    return;
  }
  reading_ = std::jthread([this] {
    const auto read = std::make_shared<std::expected<Reloaded, std::string>>(end_.reload(factories_.size()));
    boost::asio::post(loop_.executor(), [this, read] { spread(std::move(*read)); });
  });
} catch (const std::system_error& failed) {
  running_ = false;
  tell_(std::unexpected(fmt::format("cannot start a thread: {} (see: ulimit -u)", failed.what())));
}

void Reloader::spread(std::expected<Reloaded, std::string> read) {
  if (!read) return finish(std::unexpected(std::move(read.error())));
  /// What the threads share; the last one tells.
  struct Progress {
    std::string changes;
    std::atomic<std::uint64_t> closed = 0;
    std::atomic<std::size_t> left = 0;
  };
  const auto progress = std::make_shared<Progress>();
  progress->changes = std::move(read->changes);
  progress->left = factories_.size();
  const auto done = [this, progress](std::uint64_t closed) {
    progress->closed += closed;
    if (--progress->left != 0) return;
    boost::asio::post(loop_.executor(), [this, progress] { finish(Done{progress->changes, progress->closed}); });
  };
  for (std::size_t i = 0; i < factories_.size(); ++i) factories_[i]->renew(std::move(read->endpoints[i]), done);
}

void Reloader::finish(const std::expected<Done, std::string>& done) {
  tell_(done);
  running_ = false;
  if (std::exchange(again_, false)) reload();
}

}  // namespace qsp::node
