// What a session does with memory: its data path allocates nothing, and what it frees or keeps holds no secret of the
// past (SPEC §5.10, §7.4).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "channel/malicious.hpp"
#include "channel/traffic.hpp"
#include "support/heap.hpp"
#include "support/own_stack.hpp"
#include "support/scripted.hpp"

namespace qsp::test {
namespace {

/// Secrets that have been derived, inverted, so that a search does not find this list.
struct Derived {
  std::array<std::uint8_t, 32> inverted;
  std::array<char, 24> name;
  std::uint32_t epoch;
};
std::array<Derived, 256> secrets{};
std::size_t secret_count = 0;
/// The first secret that was found in a block when it was freed.
const Derived* leaked = nullptr;

bool holds(Bytes block, const Derived& secret) {
  const auto same = [](std::uint8_t a, std::uint8_t b) { return a == static_cast<std::uint8_t>(~b); };
  return !std::ranges::search(block, secret.inverted, same).empty();
}

/// Notes the first secret of a block that is freed.
void look_for_leaks(Bytes block) noexcept {
  for (std::size_t i = 0; i < secret_count && leaked == nullptr; ++i) {
    if (holds(block, secrets[i])) leaked = &secrets[i];
  }
}

/// Notes what the two ends derive.
class Notes final : public schedule::DangerousKeyLog {
 public:
  Notes() {
    secret_count = 0, leaked = nullptr;
    heap::observe(look_for_leaks);
  }
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;
  ~Notes() override {
    heap::observe(nullptr);
    secret_count = 0;
  }

  void secret(std::string_view name, std::uint32_t epoch, Bytes value) override {
    if (value.size() < 32 || secret_count == secrets.size()) return;
    Derived& noted = secrets[secret_count++] = {};
    for (std::size_t i = 0; i < 32; ++i) noted.inverted[i] = static_cast<std::uint8_t>(~value[i]);
    std::ranges::copy(name, noted.name.begin());
    noted.epoch = epoch;
  }
};

std::string describe(const Derived& secret) {
  return std::string(secret.name.data()) + "[" + std::to_string(secret.epoch) + "]";
}

/// The names of the secrets that are in some block now.
std::set<std::string> in_memory() {
  std::set<std::string> found;
  for (std::size_t i = 0; i < secret_count; ++i) {
    const auto search = [](Bytes block, const void* secret) noexcept {
      return holds(block, *static_cast<const Derived*>(secret));
    };
    if (heap::any_block(search, &secrets[i])) found.insert(describe(secrets[i]));
  }
  return found;
}

/// Gives an end the key that it waits for, without a copy of it on the heap. Both ends get the same one of an epoch.
void give_key(Pair& pair, Role role, std::uint32_t epoch) {
  QkdKey key;
  for (std::size_t i = 0; i < key.size(); ++i) key.writable()[i] = static_cast<std::uint8_t>(epoch + i * 37);
  ASSERT_TRUE(
      channel(pair, role).provide_qkd_key({"abcdef01-2345-4678-89ab-cdef01234567", std::move(key)}, pair.now()));
  pair.drain(role);
  pair.run();
}

std::set<std::string> of_epoch(std::initializer_list<const char*> names, std::uint32_t epoch) {
  std::set<std::string> result;
  for (const char* name : names) result.insert(std::string(name) + "[" + std::to_string(epoch) + "]");
  return result;
}

// SPEC §5.10, §6.
TEST(Memory, holds_only_the_secrets_of_the_current_epoch_and_the_previous_exporter) {
  for (const bool light : {false, true}) {
    World world(QkdPolicy::Required);
    world.server.rekey.light = light;
    Notes notes;
    const auto pair = pair_with_log(world, notes);
    pair->run();
    for (const Role role : kBoth) give_key(*pair, role, 1);
    ASSERT_TRUE(pair->seen(Role::Client).session_id);
    EXPECT_GE(secret_count, 20U);
    EXPECT_EQ(in_memory(), of_epoch({"c_key", "s_key", "ratchet", "exporter"}, 1));
    for (std::uint32_t epoch = 2; epoch < 5; ++epoch) {
      ASSERT_TRUE(pair->rekey(Role::Server));
      for (const Role role : {Role::Server, Role::Client}) give_key(*pair, role, epoch);
      ASSERT_EQ(pair->at(Role::Client).epoch(), epoch);
      auto expected = of_epoch({"c_key", "s_key", "ratchet", "exporter"}, epoch);
      expected.merge(of_epoch({"exporter"}, epoch - 1));
      EXPECT_EQ(in_memory(), expected);
    }
    EXPECT_EQ(leaked, nullptr) << describe(*leaked) << " was in memory that was freed";
    pair->close(Role::Client, Reason::Normal, "");
    pair->run();
    EXPECT_EQ(in_memory(), std::set<std::string>{}) << "closed";
    EXPECT_EQ(leaked, nullptr);
  }
}

// SPEC §5.10.
TEST(Memory, of_a_handshake_that_fails_at_any_step_holds_no_secret) {
  for (int delivered = 0; delivered < 5; ++delivered) {
    World world;
    Notes notes;
    {
      const auto pair = pair_with_log(world, notes);
      for (int i = 0; i < delivered; ++i) {
        if (!pair->deliver(Role::Client)) pair->deliver(Role::Server);
      }
      for (const Role role : kBoth) pair->end_of_stream(role);
      EXPECT_EQ(in_memory(), std::set<std::string>{}) << delivered;
    }
    EXPECT_EQ(leaked, nullptr) << delivered << ": " << describe(*leaked);
  }
}

// SPEC §5.10.
TEST(Memory, of_a_rekey_that_dies_at_any_step_holds_no_secret) {
  for (int delivered = 0; delivered < 4; ++delivered) {
    World world;
    Notes notes;
    {
      const auto pair = established_with_log(world, notes);
      ASSERT_TRUE(pair->rekey(Role::Server));
      for (int i = 0; i < delivered; ++i) pair->deliver(i % 2 == 0 ? Role::Server : Role::Client);
      for (const Role role : kBoth) pair->end_of_stream(role);
      EXPECT_EQ(in_memory(), std::set<std::string>{}) << delivered;
    }
    EXPECT_EQ(leaked, nullptr) << delivered << ": " << describe(*leaked);
  }
}

TEST(Memory, the_material_of_a_rekey_is_wiped_where_it_was_read) {
  World world;
  const auto pair = world.established();
  ASSERT_TRUE(pair->rekey(Role::Server));
  Frame init = pair->in_flight(Role::Server).front();
  ASSERT_EQ(pair->at(Role::Client).handle_bytes(init, pair->now()), init.size());
  const auto plaintext = Bytes(init).subspan(wire::kFrameHeaderSize).first(init.size() - 38);
  EXPECT_TRUE(std::ranges::all_of(plaintext, [](std::uint8_t byte) { return byte == 0; }));
}

/// Notes the material of the first INIT. The fake providers draw the same in every world, so the next world's is known
/// before it is drawn.
void note_material_of_first_init(Notes& notes) {
  World world;
  Insider insider(*world.client_provider);
  const auto pair = established_with_log(world, insider);
  EXPECT_TRUE(pair->rekey(Role::Server));
  const Frame init = pair->in_flight(Role::Server).front();
  Message plaintext = insider.open(Role::Server, init, pair->made(Role::Server).size() - 1).value();
  notes.secret("material", 2, Bytes(plaintext).subspan(9, wire::kMaterialSize));
  wipe(plaintext);  // what the test itself leaves behind must not be found
}

/// SPEC §7.4: "Wiped at commit: … material …", §7.3: at a NAK, §8.2 and §5.10: at any end. On the stack, on the heap
/// and in memory that was freed, at both ends, while a rekey is under way only where it waits for its answer.
TEST(Memory, holds_the_material_of_a_rekey_only_while_its_answer_is_awaited) {
  OwnStack stack;
  for (const bool commits : {true, false}) {
    World world;
    Notes notes;
    note_material_of_first_init(notes);
    const Derived& material = secrets.front();
    leaked = nullptr;
    const auto pair = established_with_log(world, notes);
    stack.run([&] {
      ASSERT_TRUE(pair->rekey(Role::Server));
      EXPECT_TRUE(in_memory().contains("material[2]")) << "the server needs it for ACK";
      if (commits) pair->run();
      for (const Role role : kBoth) {
        if (!commits) pair->end_of_stream(role);
        EXPECT_EQ(pair->at(role).epoch() == 2, commits);
      }
    });
    EXPECT_FALSE(in_memory().contains("material[2]"));
    EXPECT_EQ(leaked, nullptr) << describe(*leaked) << " was in memory that was freed";
    std::array<std::uint8_t, 32> wanted{};
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = static_cast<std::uint8_t>(~material.inverted[i]);
    EXPECT_FALSE(stack.holds(wanted)) << "on the stack";
  }
}

/// What could not be sealed is wiped where it would have been sent, and so is all that a rekey had got so far.
TEST(Memory, of_a_rekey_whose_provider_fails_at_any_operation_holds_no_secret) {
  for (std::uint64_t count = 0;; ++count) {
    const auto inner = make_fake_provider(2);
    auto made = std::make_unique<ScriptedProvider>(*inner);
    ScriptedProvider& provider = *made;
    World world(make_fake_provider(1), std::move(made));
    Notes notes;
    note_material_of_first_init(notes);
    leaked = nullptr;
    {
      const auto pair = established_with_log(world, notes);
      provider.fail_after(count);
      static_cast<void>(pair->rekey(Role::Server));
      pair->run();
      if (pair->at(Role::Server).phase() == Phase::Established) {
        EXPECT_EQ(pair->at(Role::Server).epoch(), 2U);
        EXPECT_GT(count, 10U);
        return;
      }
      pair->end_of_stream(Role::Server);
      EXPECT_EQ(in_memory(), std::set<std::string>{}) << count;
    }
    EXPECT_EQ(leaked, nullptr) << count << ": " << describe(*leaked);
  }
}

TEST(Memory, this_test_sees_what_it_looks_for) {
  Notes notes;
  const std::vector<std::uint8_t> value(32, 0xa5);
  notes.secret("value", 7, value);
  EXPECT_EQ(in_memory(), std::set<std::string>{"value[7]"});
  {
    const std::vector<std::uint8_t> copy = value;
  }
  EXPECT_NE(leaked, nullptr);
}

TEST(Memory, ten_thousand_frames_allocate_nothing) {
  World world;
  const auto pair = world.established();
  Frame frame(22 + 1'000 + 16);
  const auto exchange = [&](Role from) {
    ASSERT_TRUE(pair->at(from).seal_app_data(frame, 1'000, false, pair->now()));
    ASSERT_EQ(pair->at(other(from)).handle_bytes(frame, pair->now()), frame.size());
    const auto event = pair->at(other(from)).poll_event();
    ASSERT_TRUE(event && std::holds_alternative<AppData>(*event));
    ASSERT_FALSE(pair->at(other(from)).poll_event());
  };
  for (const Role role : kBoth) exchange(role);
  const std::size_t before = heap::made();
  for (int i = 0; i < 5'000; ++i) {
    for (const Role role : kBoth) exchange(role);
  }
  EXPECT_EQ(heap::made() - before, 0U);
}

}  // namespace
}  // namespace qsp::test
