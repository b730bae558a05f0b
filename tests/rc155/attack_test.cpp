// Why Stage155 is no protection: three attacks on a recorded or relayed session by somebody who has no key
// (docs/rc155.md). They run over the real provider, so that nothing fake can be what breaks.

#include <gtest/gtest.h>

#include <string>

#include "fixture.hpp"
#include "qsp/openssl.hpp"

namespace qsp::rc155 {
namespace {

std::unique_ptr<crypto::Provider> real_provider() {
  auto made = crypto::make_openssl_provider();
  EXPECT_TRUE(made) << made.error().where;
  return made ? std::move(*made) : nullptr;
}

TEST(Attack, who_records_a_session_decrypts_all_of_it_from_the_two_public_nonces) {
  Duo victims(real_provider());
  run_scenario(victims);
  // From here on, only what crossed the wire is used; the algorithms are everyone's.
  const std::vector<Frame> client = victims.pair.made(Role::Client);
  const std::vector<Frame> server = victims.pair.made(Role::Server);
  const auto own_provider = real_provider();
  Observer observer(*own_provider);
  ASSERT_TRUE(observer.watch(client, server));

  const auto read = [&](Role from, const std::vector<Frame>& frames) {
    std::vector<std::string> data;
    for (std::size_t i = 1; i < frames.size(); ++i) {
      const auto plaintext = observer.open(from, frames[i]);
      EXPECT_TRUE(plaintext) << "frame " << i;
      if (plaintext && header_of(frames[i]).type == FrameType::AppData) data.emplace_back(as_text(*plaintext));
    }
    return data;
  };
  EXPECT_EQ(read(Role::Client, client), scenario_data(Role::Server));
  EXPECT_EQ(read(Role::Server, server), scenario_data(Role::Client));
  EXPECT_TRUE(observer.key(2)) << "rekeying did not help: the material travels under the key that is known";
}

TEST(Attack, shared_key_and_nonce_reveal_one_plaintext_from_the_other_without_any_key) {
  Duo victims(real_provider());
  victims.established();
  const std::string known = "GET /status HTTP/1.1\r\nHost: example\r\n\r\n";
  const std::string secret = "password=correct horse battery staple;";
  ASSERT_TRUE(victims.pair.send(Role::Client, known));
  ASSERT_TRUE(victims.pair.send(Role::Server, secret));
  const Frame c = victims.pair.made(Role::Client).back();
  const Frame s = victims.pair.made(Role::Server).back();
  ASSERT_TRUE(std::equal(c.begin() + 22, c.begin() + 34, s.begin() + 22)) << "the same nonce, under the same key";

  // AES-GCM is a keystream: c1 ⊕ s1 = p_c ⊕ p_s.
  std::string recovered;
  for (std::size_t i = 34; i + 16 < std::min(c.size(), s.size()); ++i) {
    recovered += static_cast<char>(c[i] ^ s[i] ^ static_cast<std::uint8_t>(known[i - 34]));
  }
  EXPECT_EQ(recovered, secret.substr(0, known.size()));
}

TEST(Attack, a_reflected_frame_is_taken_for_the_peers) {
  Duo victims(real_provider());
  victims.established();
  ASSERT_TRUE(victims.pair.send(Role::Client, "transfer 100 to Mallory"));
  victims.pair.inject(Role::Client, victims.pair.made(Role::Client).back());
  ASSERT_EQ(victims.pair.seen(Role::Client).data.size(), 1U);
  EXPECT_EQ(as_text(victims.pair.seen(Role::Client).data.front()), "transfer 100 to Mallory");
  EXPECT_FALSE(victims.closed(Role::Client)) << "the profile cannot tell; a key per direction could";
}

}  // namespace
}  // namespace qsp::rc155
