// The committed transcripts of vectors/qsp1: made anew they are the same bytes, and an end that is fed what its peer
// once sent answers with the bytes that it once answered.
#include <gtest/gtest.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <sstream>

#include "base/hex.hpp"
#include "crypto/providers.hpp"
#include "qsp/suites.hpp"
#include "support/scripted.hpp"
#include "vectors/ends.hpp"
#include "wire/handshake.hpp"
#include "wire/rekey.hpp"

namespace qsp::vectors {
namespace {

namespace json = boost::json;

std::string read_file(const std::string& name) {
  std::ifstream file(QSP_VECTORS "/" + name + ".json", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Buffer unhex(const json::value& value) { return from_hex(std::string_view(value.as_string())).value(); }

std::string string_of(const json::value& value) { return std::string(std::string_view(value.as_string())); }

struct Line {
  Role from;
  std::int64_t epoch;
  std::int64_t type;
  bool end;
  Buffer plaintext;
  Buffer frame;
};

/// A file's frames in the order of the wire.
std::vector<Line> lines_of(const json::object& file) {
  std::vector<Line> lines;
  const auto add = [&lines](const json::value& value, std::int64_t epoch) {
    const json::object& frame = value.as_object();
    const Role from = frame.at("from").as_string() == "client" ? Role::Client : Role::Server;
    const bool handshake = epoch == 0;
    lines.push_back({from, epoch, handshake ? 1 : frame.at("type").as_int64(),
                     !handshake && frame.at("flags").as_int64() != 0, unhex(frame.at("plaintext")),
                     unhex(frame.at("frame"))});
  };
  for (const json::value& message : file.at("handshake").at("messages").as_array()) add(message, 0);
  for (const json::value& epoch : file.at("epochs").as_array()) {
    for (const json::value& frame : epoch.at("frames").as_array()) add(frame, epoch.at("epoch").as_int64());
  }
  return lines;
}

/// One fresh end that lives through its part of a file.
class Replay {
 public:
  Replay(const json::object& file, const Scenario& scenario, crypto::Provider& provider, Role role)
      : file_(file), lines_(lines_of(file)), role_(role), ends_(Ends::make(scenario, provider).value()) {}

  /// Through the first `count` frames. False after the first difference.
  bool run(std::size_t count) {
    for (at_ = 0; at_ < count; ++at_) {
      if (lines_[at_].from == role_ ? !send(lines_[at_]) : !feed(lines_[at_].frame)) return false;
    }
    return true;
  }
  bool run_all() { return run(lines_.size()) && made_.empty() && closed_ && closed_->reason == Reason::Normal; }

  bool feed(Buffer frame) {
    const bool whole = session().handle_bytes(frame, kNow) == frame.size();
    drain();
    return whole;
  }
  [[nodiscard]] const std::vector<Line>& lines() const noexcept { return lines_; }
  [[nodiscard]] const std::optional<Closed>& closed() const noexcept { return closed_; }

 private:
  channel::Session& session() { return *ends_->at(role_).session; }

  bool send(const Line& line) {
    drain();
    if (made_.empty() && line.type == 2) {
      const FrameRoom room = session().frame_room();
      Buffer frame(room.head + line.plaintext.size() + room.tail);
      std::ranges::copy(line.plaintext, frame.begin() + static_cast<std::ptrdiff_t>(room.head));
      const auto sealed = session().seal_app_data(frame, line.plaintext.size(), line.end, kNow);
      drain();
      return sealed && frame == line.frame;
    }
    if (made_.empty() && line.type == 3) {
      if (!session().request_rekey(kNow)) return false;
      drain();
    }
    if (made_.size() < line.frame.size() || !std::equal(line.frame.begin(), line.frame.end(), made_.begin()))
      return false;
    made_.erase(made_.begin(), made_.begin() + static_cast<std::ptrdiff_t>(line.frame.size()));
    return true;
  }

  void drain() {
    while (auto event = session().poll_event()) {
      if (std::holds_alternative<QkdKeyNeeded>(*event)) answer();
      if (auto* closed = std::get_if<Closed>(&*event)) closed_ = *closed;
    }
    std::array<std::uint8_t, 4096> bytes{};
    while (const std::size_t size = session().poll_transmit(bytes)) {
      made_.insert(made_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }

  /// What this end sends next tells what its KME once answered.
  void answer() {
    const auto next = std::find_if(lines_.begin() + static_cast<std::ptrdiff_t>(at_), lines_.end(),
                                   [&](const Line& line) { return line.from == role_ && line.type != 2; });
    std::string key_id = string_of(file_.at("handshake").at("key_id"));
    Buffer key = unhex(file_.at("handshake").at("qkd_key"));
    bool delivers = true;
    if (next->epoch > 0) {
      const json::object& rekey =
          file_.at("epochs").as_array().at(static_cast<std::size_t>(next->epoch) - 1).at("rekey").as_object();
      const auto message = wire::parse_rekey(next->plaintext).value();
      key_id = string_of(rekey.at("key_id"));
      key = unhex(rekey.at("qkd_key"));
      delivers = !std::holds_alternative<wire::RekeyNak>(message);
      if (const auto* init = std::get_if<wire::RekeyInit>(&message)) {
        delivers = !init->key_id.empty();
        // The key of an INIT that was answered with NAK is in no file: it went nowhere.
        if (init->key_id != key_id) key.assign(QkdKey::kCapacity, 0);
        key_id = init->key_id;
      }
    }
    const auto answered = delivers ? session().provide_qkd_key({key_id, QkdKey::copy_of(key)}, kNow)
                                   : session().fail_qkd_key(QkdFailure::Unavailable, kNow);
    EXPECT_TRUE(answered);
  }

  const json::object& file_;
  std::vector<Line> lines_;
  Role role_;
  std::unique_ptr<Ends> ends_;
  std::size_t at_ = 0;
  Buffer made_;  ///< sent by the end and not yet compared
  std::optional<Closed> closed_;
};

using Replayed = crypto::test::On<Scenario>;

bool lacking(const crypto::test::TestedProvider& provider, const Scenario& scenario) {
  const crypto::Capabilities& lacks = provider.lacks;
  return lacks.has(scenario.kem) || lacks.has(scenario.signature) || lacks.has(scenario.aead);
}

/// Every scenario with every provider that has what it needs.
std::vector<Replayed> every_replay() {
  std::vector<Replayed> all;
  for (const auto* const provider : crypto::test::every_provider()) {
    for (const Scenario& scenario : scenarios()) {
      if (!lacking(*provider, scenario)) all.push_back({provider, scenario});
    }
  }
  return all;
}

class Vectors : public testing::TestWithParam<Replayed> {
 protected:
  void SetUp() override {
    text_ = read_file(std::string(scenario().name));
    ASSERT_FALSE(text_.empty()) << "no such file; make it with: qsp vectors --out vectors/qsp1";
    file_ = json::parse(text_).as_object();
  }

  static const Scenario& scenario() { return GetParam().row; }

  std::unique_ptr<crypto::Provider> provider_ = GetParam().provider->make().value();
  std::string text_;
  json::object file_;
};

TEST_P(Vectors, made_anew_are_the_committed_bytes) {
  const auto made = make_vector(scenario(), *provider_);
  ASSERT_TRUE(made) << made.error();
  EXPECT_TRUE(*made == text_);
}

TEST_P(Vectors, a_fresh_end_answers_recorded_frames_with_the_recorded_bytes) {
  for (const Role role : {Role::Client, Role::Server}) {
    Replay replay(file_, scenario(), *provider_, role);
    EXPECT_TRUE(replay.run_all()) << name_of(role) << (replay.closed() ? ": " + replay.closed()->text : "");
  }
}

TEST_P(Vectors, a_fresh_end_refuses_each_altered_frame_for_the_recorded_reason) {
  for (const json::value& item : file_.at("failing").as_array()) {
    const json::object& failing = item.as_object();
    const std::string what = string_of(failing.at("description"));
    const Role to = failing.at("from").as_string() == "client" ? Role::Server : Role::Client;
    Replay replay(file_, scenario(), *provider_, to);
    const auto first = std::ranges::find(replay.lines(), failing.at("epoch").as_int64(), &Line::epoch);
    const std::size_t index = static_cast<std::size_t>(first - replay.lines().begin()) +
                              static_cast<std::size_t>(failing.at("frame_index").as_int64());
    ASSERT_TRUE(replay.run(index)) << what;
    ASSERT_FALSE(replay.closed()) << what;
    ASSERT_TRUE(replay.feed(unhex(failing.at("altered_frame")))) << what;
    ASSERT_TRUE(replay.closed()) << what;
    EXPECT_FALSE(replay.closed()->by_peer) << what;
    EXPECT_EQ(name(replay.closed()->reason), string_of(failing.at("reason"))) << what;
  }
}

TEST_P(Vectors, the_private_key_of_each_kem_yields_its_share_and_secret) {
  const crypto::Kem& kem = *provider_->kem(scenario().kem).value();
  std::size_t checked = 0;
  const auto check = [&](const json::object& holder, Bytes share, Bytes ciphertext) {
    if (!holder.contains("kem_private_key")) return;
    test::ScriptedRng rng(unhex(holder.at("kem_private_key")));
    const auto key = kem.generate(rng).value();
    EXPECT_TRUE(std::ranges::equal(key->public_key(), share));
    EXPECT_TRUE(std::ranges::equal(key->decapsulate(ciphertext).value().reveal(), unhex(holder.at("ss"))));
    ++checked;
  };
  const json::object& handshake = file_.at("handshake").as_object();
  const Buffer client_hello = unhex(handshake.at("messages").at(0).at("plaintext"));
  const Buffer server_hello = unhex(handshake.at("messages").at(1).at("plaintext"));
  check(handshake, wire::parse_client_hello(client_hello).value().shares.begin()->public_key,
        wire::parse_server_hello(server_hello).value().kem_ciphertext);
  for (const json::value& epoch : file_.at("epochs").as_array()) {
    const json::value* rekey = epoch.as_object().if_contains("rekey");
    if (rekey == nullptr) continue;
    const Buffer init = unhex(rekey->at("init")), ack = unhex(rekey->at("ack"));
    check(rekey->as_object(), std::get<wire::RekeyInit>(wire::parse_rekey(init).value()).kem_public_key,
          std::get<wire::RekeyAck>(wire::parse_rekey(ack).value()).kem_ciphertext);
  }
  const bool hybrid_on_p =
      scenario().kem == crypto::KemId::SecP256r1MlKem768 || scenario().kem == crypto::KemId::SecP384r1MlKem1024;
  EXPECT_EQ(checked == 0, hybrid_on_p);
}

INSTANTIATE_TEST_SUITE_P(All, Vectors, testing::ValuesIn(every_replay()), [](const auto& one) {
  return std::string(one.param.provider->name).append("_").append(one.param.row.name);
});

/// No scenario is left out but for what the table of providers says, and what it says is so.
TEST(Scenarios, beyond_a_provider_are_refused) {
  for (const auto* const provider : crypto::test::every_provider()) {
    for (const Scenario& scenario : scenarios()) {
      if (!lacking(*provider, scenario)) continue;
      EXPECT_FALSE(make_vector(scenario, *provider->make().value())) << provider->name << ", " << scenario.name;
    }
  }
}

TEST(Scenarios, use_every_algorithm_of_the_suite_table) {
  const auto used = [](auto member, auto id) { return std::ranges::count(scenarios(), id, member) > 0; };
  for (const auto& row : crypto::kKems) EXPECT_TRUE(used(&Scenario::kem, row.id)) << row.name;
  for (const auto& row : crypto::kSignatures) EXPECT_TRUE(used(&Scenario::signature, row.id)) << row.name;
  for (const auto& row : crypto::kAeads) EXPECT_TRUE(used(&Scenario::aead, row.id)) << row.name;
}

}  // namespace
}  // namespace qsp::vectors
