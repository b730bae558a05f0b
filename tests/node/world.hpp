#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "files/descriptor.hpp"
#include "files/temp_folder.hpp"
#include "identity/key_files.hpp"
#include "keysource/pad.hpp"
#include "node/dial.hpp"
#include "node/node.hpp"
#include "qsp/openssl.hpp"

namespace qsp::node::test {

/// What a wait of these tests may take; far more than it ever does.
inline constexpr std::chrono::seconds kPatience{60};

inline crypto::Provider& provider() {
  static const auto kProvider = crypto::make_openssl_provider().value();
  return *kProvider;
}

/// Keeps what a node tells, for other threads to wait for.
class Recorder final : public NodeEvents {
 public:
  struct End {
    SessionView session;
    Closed closed;
  };

  void warning(const std::string& text) override {
    const std::lock_guard lock(mutex_);
    warnings_.push_back(text);
  }
  void closed(const SessionView& session, const Closed& closed, const std::string&) override {
    const std::lock_guard lock(mutex_);
    ends_.push_back({session, closed});
    changed_.notify_all();
  }
  void reloaded(const std::expected<Reloader::Done, std::string>& done) override {
    const std::lock_guard lock(mutex_);
    reload_ = done;
    changed_.notify_all();
  }

  /// What came of the reload that was asked for last.
  std::expected<Reloader::Done, std::string> next_reload() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return reload_.has_value(); })) {
      return std::unexpected("nothing was told of a reload");
    }
    return *std::exchange(reload_, std::nullopt);
  }
  /// The session that ended as number `count`, the first being 1; nothing came in time where it is empty.
  std::optional<End> end(std::size_t count) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return ends_.size() >= count; })) return std::nullopt;
    return ends_[count - 1];
  }
  std::vector<std::string> warnings() {
    const std::lock_guard lock(mutex_);
    return warnings_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> warnings_;
  std::vector<End> ends_;
  std::optional<std::expected<Reloader::Done, std::string>> reload_;
};

/// Two ends of a pipe.
class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    reader_ = files::Descriptor(ends[0]);
    writer_ = files::Descriptor(ends[1]);
  }
  [[nodiscard]] int reader() const noexcept { return reader_.get(); }
  [[nodiscard]] int writer() const noexcept { return writer_.get(); }
  void close_reader() noexcept { reader_.close(); }
  void close_writer() noexcept { writer_.close(); }
  /// Somebody else has closed it.
  void forget_writer() noexcept { static_cast<void>(writer_.release()); }

 private:
  files::Descriptor reader_, writer_;
};

/// A dial on a thread of its own, whose session carries a pipe.
class Client {
 public:
  explicit Client(const DialConfig& config) {
    auto opened = Dial::open(config, events_);
    if (!opened) {
      ADD_FAILURE() << opened.error().text;
      return;
    }
    dial_ = *std::move(opened);
    thread_ = std::jthread([this] {
      report_ = dial_->run(CarryPipe{.input = input_.reader(), .output = output_.writer()});
      if (report_.pipe.output_closed) output_.forget_writer();
      output_.close_writer();
    });
  }
  ~Client() {
    if (thread_.joinable()) dial_->stop();
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view text) const {
    EXPECT_EQ(::write(input_.writer(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  /// As much as a pipe may not hold: until it is read.
  void send_all(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(input_.writer(), text.data(), text.size());
      if (count <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void end_input() { input_.close_writer(); }
  /// At most so many bytes of what came; fewer where nothing more came.
  [[nodiscard]] std::string receive(std::size_t size) const {
    std::string text;
    pollfd ready{.fd = output_.reader(), .events = POLLIN, .revents = 0};
    while (text.size() < size &&
           ::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) == 1) {
      std::array<char, 4096> bytes{};
      const ssize_t count = ::read(output_.reader(), bytes.data(), std::min(bytes.size(), size - text.size()));
      if (count <= 0) break;
      text.append(bytes.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
  /// Whether an echo still comes back.
  [[nodiscard]] bool echoes(std::string_view text) const {
    send(text);
    return receive(text.size()) == text;
  }
  void stop() { dial_->stop(); }
  /// Waits until the session is over.
  DialReport report() {
    if (thread_.joinable()) thread_.join();
    return report_;
  }

 private:
  DialEvents events_;
  Pipe input_, output_;
  std::unique_ptr<Dial> dial_;
  DialReport report_;
  std::jthread thread_;
};

/// Bob, who listens, and those who call him.
class NodeTest : public testing::Test {
 protected:
  NodeTest() {
    std::signal(SIGPIPE, SIG_IGN);
    for (const std::string name : {"alice", "bob", "carol"}) {
      const auto made = identity::write_new_key_pair(provider(), crypto::SignatureId::MlDsa65, key(name), std::nullopt);
      EXPECT_TRUE(made) << made.error();
    }
    pin_callers({"alice"});
    EXPECT_NE(folder_.with("callers.toml", "[[peer]]\nname = 'bob'\nkey_file = 'bob.key.pub'\nserve = true\n"), "");
  }

  [[nodiscard]] std::string key(const std::string& name) const { return folder_ / (name + ".key"); }

  /// Writes the peers file of Bob.
  void pin_callers(const std::vector<std::string>& names, const std::string& more = "") const {
    std::string text;
    for (const std::string& name : names) {
      text += "[[peer]]\nname = '" + name + "'\nkey_file = '" + name + ".key.pub'\nconnect = true\n" + more;
    }
    EXPECT_NE(folder_.with("bob.toml", names.empty() ? "peer = []\n" : text), "");
  }

  [[nodiscard]] NodeConfig bob() const {
    NodeConfig config;
    config.end.keys = {key("bob")};
    config.end.peers = folder_ / "bob.toml";
    config.listen.port = 0;
    config.max_silence = kPatience;
    config.stop_timeout = kPatience;
    return config;
  }
  [[nodiscard]] DialConfig caller(const std::string& name, const Node& to) const {
    DialConfig config;
    config.end.keys = {key(name)};
    config.end.peers = folder_ / "callers.toml";
    config.end.peer = "bob";
    config.target = {.host = "127.0.0.1", .port = to.status().address.port()};
    config.retry_for = std::chrono::seconds(0);
    return config;
  }
  /// Listens, and runs on a thread of its own.
  [[nodiscard]] std::unique_ptr<Node> started(const NodeConfig& config) {
    auto node = Node::open(config, told_);
    if (!node) {
      ADD_FAILURE() << node.error().text;
      std::abort();
    }
    EXPECT_TRUE((*node)->start());
    return *std::move(node);
  }

  qsp::test::TempFolder folder_;
  Recorder told_;
};

}  // namespace qsp::node::test
