// Nodes that talk over the loopback interface.
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <iterator>

#include "node/world.hpp"

namespace qsp::node::test {
namespace {

using namespace std::chrono_literals;

class TwoNodes : public NodeTest {
 protected:
  /// Sends some frames to Bob, who echoes them.
  [[nodiscard]] DialReport check_echo(const DialConfig& config) {
    std::string sent(300'000, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * i >> 7U);
    const files::Descriptor input(::open(folder_.with("sent", sent).c_str(), O_RDONLY | O_CLOEXEC));
    const std::string came = folder_.with("came", "");
    const files::Descriptor output(::open(came.c_str(), O_WRONLY | O_CLOEXEC));
    DialEvents events;
    const auto dial = Dial::open(config, events);
    if (!dial) {
      ADD_FAILURE() << dial.error().text;
      return {};
    }
    const DialReport report = (*dial)->run(CheckEcho{.input = input.get(), .output = output.get()});
    EXPECT_TRUE(report.established) << report.failure;
    EXPECT_EQ(report.failure, "");
    EXPECT_EQ(report.echo.failure, "");
    EXPECT_EQ(report.echo.compared_bytes, sent.size());
    EXPECT_EQ(report.echo.missing_bytes, 0U);
    EXPECT_TRUE(report.closed && report.closed->reason == Reason::Normal);
    EXPECT_EQ(qsp::test::content_of(came), sent);
    return report;
  }
};

TEST_F(TwoNodes, talk_in_qsp_1_0) {
  const auto node = started(bob());
  const DialReport report = check_echo(caller("alice", *node));
  ASSERT_TRUE(report.status);
  EXPECT_EQ(report.status->peer, "bob");
  EXPECT_FALSE(report.status->qkd_mixed);
  const auto end = told_.end(1);
  ASSERT_TRUE(end);
  ASSERT_TRUE(end->session.status);
  EXPECT_EQ(end->session.status->peer, "alice");
  EXPECT_EQ(end->session.traffic.received_bytes, 300'000U);
  EXPECT_EQ(end->session.traffic.sent_bytes, 300'000U);
}

TEST_F(TwoNodes, talk_in_rc155_which_needs_no_files) {
  NodeConfig config;
  config.end.profile = ProfileId::DangerousRc155;
  config.listen.port = 0;
  const auto node = started(config);
  DialConfig dial{.end = {}, .target = {.host = "127.0.0.1", .port = node->status().address.port()}, .retry_for = 0s};
  dial.end.profile = ProfileId::DangerousRc155;
  const DialReport report = check_echo(dial);
  EXPECT_FALSE(report.status) << "this profile tells nothing of itself";
  const auto end = told_.end(1);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->session.traffic.received_bytes, 300'000U);
}

TEST_F(TwoNodes, talk_with_a_qkd_key_of_a_pad) {
  const std::string qkd = "qkd = 'required'\n";
  const auto pads =
      keysource::create_pads({.link = "a-b", .keys = 16}, folder_ / "alice.pad", folder_ / "bob.pad", provider().rng());
  ASSERT_TRUE(pads) << pads.error();
  pin_callers({"alice"}, qkd + "sae_id = 'SAE-alice'\n");
  NodeConfig config = bob();
  config.end.qkd = QkdPolicy::Required;
  config.end.sae_id = "SAE-bob";
  config.end.pads = {{.sae_id = "SAE-alice", .file = folder_ / "bob.pad"}};
  const auto node = started(config);
  DialConfig alice = caller("alice", *node);
  alice.end.peers = folder_.with(
      "alice.toml", "[[peer]]\nname = 'bob'\nkey_file = 'bob.key.pub'\nserve = true\nsae_id = 'SAE-bob'\n" + qkd);
  alice.end.sae_id = "SAE-alice";
  alice.end.pads = {{.sae_id = "SAE-bob", .file = folder_ / "alice.pad"}};
  const DialReport report = check_echo(alice);
  ASSERT_TRUE(report.status);
  EXPECT_TRUE(report.status->qkd_mixed);
  ASSERT_TRUE(report.status->current.key_id);
  const auto end = told_.end(1);
  ASSERT_TRUE(end && end->session.status);
  EXPECT_EQ(end->session.status->current.key_id, report.status->current.key_id);
  const auto used = keysource::pad_status(folder_ / "alice.pad");
  ASSERT_TRUE(used) << used.error();
  EXPECT_EQ(used->own.used + used->peer.used, 1U);
}

TEST_F(TwoNodes, are_told_apart_by_their_pins) {
  const auto node = started(bob());
  Client carol(caller("carol", *node));
  carol.end_input();
  const DialReport report = carol.report();
  EXPECT_TRUE(report.connected);
  EXPECT_FALSE(report.established);
  ASSERT_TRUE(report.closed);
  EXPECT_TRUE(report.closed->by_peer);
  EXPECT_EQ(report.closed->reason, Reason::HandshakeFailed);
}

class NodeLife : public NodeTest {};

TEST_F(NodeLife, its_status_says_what_it_is_and_does) {
  pin_callers({"alice", "carol"});
  auto opened = Node::open(bob(), told_);
  ASSERT_TRUE(opened) << opened.error().text;
  Node& node = **opened;
  NodeStatus status = node.status();
  EXPECT_EQ(status.state, NodeState::Ready);
  EXPECT_EQ(status.profile, "1.0");
  EXPECT_NE(status.address.port(), 0);
  EXPECT_FALSE(status.metrics_port);
  EXPECT_EQ(status.peers, (std::vector<std::string>{"alice", "carol"}));
  EXPECT_EQ(status.sessions.established, 0U);

  ASSERT_TRUE(node.start());
  Client alice(caller("alice", node));
  ASSERT_TRUE(alice.echoes("ping"));
  status = node.status();
  EXPECT_EQ(status.state, NodeState::Running);
  EXPECT_EQ(status.sessions.established, 1U);
  EXPECT_EQ(status.sessions.open, 1U);
  alice.end_input();
  EXPECT_TRUE(alice.report().pipe.input_sent);
  ASSERT_TRUE(told_.end(1));
  status = node.status();
  EXPECT_EQ(status.sessions.open, 0U);
  EXPECT_EQ(status.sessions.closed_well, 1U);

  node.stop();
  EXPECT_TRUE(node.wait());
  EXPECT_EQ(node.status().state, NodeState::Stopped);
}

TEST_F(NodeLife, a_reload_adds_and_removes_a_pin_while_a_session_is_up) {
  const auto node = started(bob());
  Client alice(caller("alice", *node));
  ASSERT_TRUE(alice.echoes("ping"));

  pin_callers({"alice", "carol"});
  node->reload();
  auto done = told_.next_reload();
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->changes, "2 peers; added: carol; own keys as before");
  EXPECT_EQ(done->closed, 0U);
  EXPECT_EQ(node->status().peers, (std::vector<std::string>{"alice", "carol"}));
  EXPECT_TRUE(alice.echoes("still here"));
  Client carol(caller("carol", *node));
  EXPECT_TRUE(carol.echoes("now me too"));

  pin_callers({"carol"});
  node->reload();
  done = told_.next_reload();
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(done->changes, "1 peer; removed: alice; own keys as before");
  EXPECT_EQ(done->closed, 1U);
  const DialReport gone = alice.report();
  ASSERT_TRUE(gone.closed);
  EXPECT_TRUE(gone.closed->by_peer);
  EXPECT_EQ(gone.closed->reason, Reason::Normal);
  EXPECT_EQ(gone.closed->text, "this peer is not pinned any more");
  EXPECT_TRUE(carol.echoes("not me"));
}

TEST_F(NodeLife, a_reload_that_fails_changes_nothing) {
  const auto node = started(bob());
  Client alice(caller("alice", *node));
  ASSERT_TRUE(alice.echoes("ping"));
  EXPECT_NE(folder_.with("bob.toml", "[[peer]]\nname = 'alice'\n"), "");
  node->reload();
  const auto done = told_.next_reload();
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().starts_with(folder_ / "bob.toml:")) << done.error();
  EXPECT_EQ(node->status().peers, std::vector<std::string>{"alice"});
  EXPECT_TRUE(alice.echoes("still here"));
}

TEST_F(NodeLife, a_profile_without_pins_has_nothing_to_reload) {
  NodeConfig config;
  config.end.profile = ProfileId::DangerousRc155;
  config.listen.port = 0;
  const auto node = started(config);
  node->reload();
  const auto done = told_.next_reload();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), "profile rc155 has neither keys nor pins to read");
}

TEST_F(NodeLife, a_stop_tells_the_sessions_that_are_up) {
  NodeConfig config = bob();
  config.threads = 3;
  const auto node = started(config);
  Client one(caller("alice", *node));
  Client other(caller("alice", *node));
  ASSERT_TRUE(one.echoes("ping") && other.echoes("ping"));
  node->stop();
  node->stop();
  EXPECT_TRUE(node->wait());
  EXPECT_EQ(node->cut_off(), 0U);
  for (Client* const client : {&one, &other}) {
    const DialReport report = client->report();
    ASSERT_TRUE(report.closed);
    EXPECT_TRUE(report.closed->by_peer);
    EXPECT_EQ(report.closed->reason, Reason::Normal);
    EXPECT_EQ(report.closed->text, "the server is stopping");
  }
  EXPECT_TRUE(told_.end(2));
}

TEST_F(NodeLife, one_that_is_stopped_before_it_runs_does_not_serve) {
  auto node = Node::open(bob(), told_);
  ASSERT_TRUE(node) << node.error().text;
  (*node)->stop();
  EXPECT_TRUE((*node)->run());
  EXPECT_EQ((*node)->status().state, NodeState::Stopped);
}

TEST_F(NodeLife, one_that_goes_stops_first) {
  auto node = started(bob());
  Client alice(caller("alice", *node));
  ASSERT_TRUE(alice.echoes("ping"));
  node.reset();
  const DialReport report = alice.report();
  ASSERT_TRUE(report.closed);
  EXPECT_EQ(report.closed->text, "the server is stopping");
}

TEST_F(NodeLife, a_dial_can_be_stopped_from_another_thread) {
  const auto node = started(bob());
  Client alice(caller("alice", *node));
  ASSERT_TRUE(alice.echoes("ping"));
  alice.stop();
  const DialReport report = alice.report();
  EXPECT_TRUE(report.interrupted);
  ASSERT_TRUE(report.closed);
  EXPECT_FALSE(report.closed->by_peer);
  EXPECT_EQ(report.closed->reason, Reason::Normal);
  const auto end = told_.end(1);
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->closed.by_peer);
  EXPECT_EQ(end->closed.text, "interrupted");
}

TEST_F(NodeLife, a_dial_that_is_stopped_before_it_runs_dials_nobody) {
  const auto node = started(bob());
  DialEvents events;
  const auto dial = Dial::open(caller("alice", *node), events);
  ASSERT_TRUE(dial) << dial.error().text;
  (*dial)->stop();
  const Pipe input;
  const Pipe output;
  const DialReport report = (*dial)->run(CarryPipe{.input = input.reader(), .output = output.writer()});
  EXPECT_TRUE(report.interrupted);
  EXPECT_FALSE(report.connected);
}

TEST_F(NodeLife, a_dial_can_be_stopped_while_nobody_reads_its_output) {
  const auto node = started(bob());
  Client alice(caller("alice", *node));
  // More than a pipe holds, and less than makes the peer wait.
  const std::string much(std::size_t{2} << 20U, 'x');
  std::jthread sender([&] { alice.send_all(much); });
  ASSERT_EQ(alice.receive(1), "x");
  sender.join();
  alice.end_input();
  const auto end = told_.end(1);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->closed.reason, Reason::Normal);
  alice.stop();
  alice.stop();
  const DialReport report = alice.report();
  EXPECT_TRUE(report.interrupted);
  EXPECT_FALSE(report.pipe.output_closed);
}

TEST_F(NodeLife, a_pipe_closes_its_output_once_all_is_written) {
  const auto node = started(bob());
  Client alice(caller("alice", *node));
  ASSERT_TRUE(alice.echoes("ping"));
  alice.end_input();
  EXPECT_EQ(alice.receive(1), "") << "its end";
  EXPECT_TRUE(alice.report().pipe.output_closed);
}

std::ptrdiff_t threads_of_this_process() {
  const std::filesystem::directory_iterator threads("/proc/self/task");
  return std::distance(begin(threads), end(threads));
}

TEST_F(NodeLife, runs_no_commands_in_a_process_that_has_other_threads) {
  if (threads_of_this_process() > 1) GTEST_SKIP() << "a sanitizer has a thread of its own";
  NodeConfig config = bob();
  config.application = RunCommand{"true"};
  std::atomic<bool> done = false;
  std::jthread other([&] { done.wait(false); });
  const auto node = Node::open(config, told_);
  done = true;
  done.notify_all();
  other.join();
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().text, "cannot start the guard of the commands: this process has other threads already");
  EXPECT_TRUE(Node::open(config, told_));
}

TEST_F(NodeLife, runs_no_commands_in_a_process_that_a_broken_pipe_ends) {
  NodeConfig config = bob();
  config.application = RunCommand{"true"};
  std::signal(SIGPIPE, SIG_DFL);
  const auto node = Node::open(config, told_);
  std::signal(SIGPIPE, SIG_IGN);
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().text, "this process has to ignore SIGPIPE: a command that no longer reads would end it");
}

// SPEC §5.8.
TEST_F(NodeLife, a_node_without_room_says_so) {
  NodeConfig config = bob();
  config.limits.sessions = 1;
  const auto node = started(config);
  Client alice(caller("alice", *node));
  ASSERT_TRUE(alice.echoes("ping"));
  Client other(caller("alice", *node));
  const DialReport report = other.report();
  EXPECT_FALSE(report.established);
  EXPECT_TRUE(report.server_is_full());
  EXPECT_FALSE(report.budget_is_spent());
  EXPECT_TRUE(alice.echoes("still here"));
}

TEST_F(NodeLife, its_metrics_are_served_to_this_machine) {
  NodeConfig config = bob();
  config.metrics_port = 0;
  const auto node = started(config);
  Client alice(caller("alice", *node));
  ASSERT_TRUE(alice.echoes("ping"));
  const auto port = node->status().metrics_port;
  ASSERT_TRUE(port);
  boost::asio::io_context io;
  net::tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), *port});
  boost::asio::write(socket, boost::asio::buffer("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(*port) +
                                                 "\r\nConnection: close\r\n\r\n"));
  std::string answer;
  net::error_code ended;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), ended);
  EXPECT_NE(answer.find("qsp_sessions_established_total 1\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("qsp_sessions_open 1\n"), std::string::npos) << answer;
}

TEST_F(NodeLife, a_source_of_qkd_keys_that_is_not_used_is_warned_of) {
  const auto pads =
      keysource::create_pads({.link = "a-b", .keys = 16}, folder_ / "a.pad", folder_ / "b.pad", provider().rng());
  ASSERT_TRUE(pads) << pads.error();
  NodeConfig config = bob();
  config.end.pads = {{.sae_id = "SAE-alice", .file = folder_ / "b.pad"}};
  const auto node = Node::open(config, told_);
  ASSERT_TRUE(node) << node.error().text;
  EXPECT_EQ(told_.warnings(),
            std::vector<std::string>{"no QKD key is used: qkd is none; give qkd preferred, or required"});
}

}  // namespace
}  // namespace qsp::node::test
