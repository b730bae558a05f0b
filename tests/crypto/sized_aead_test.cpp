// One AEAD key in two libraries, of which the size of the data chooses one.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/routed/routed.hpp"
#include "crypto/routed/sized_aead.hpp"
#include "crypto/support.hpp"

namespace qsp::crypto {
namespace {

using test::must;

constexpr std::size_t kSize = 100;

/// What an AEAD of a library was given, and what it does then: this one's tag is its name.
class Fake final : public Aead {
 public:
  explicit Fake(std::uint8_t name) : name_(name) {}

  Result<void> set_key(TrafficKey&& key) override {
    const TrafficKey taken = std::move(key);
    keyed = !refuses && taken.size() == TrafficKey::kCapacity;
    if (!keyed) return fail(ErrorKind::Provider, Reason::InternalError, "the key was refused");
    first_byte = taken.reveal().front();
    return {};
  }
  Result<void> seal(const Nonce&, Bytes, MutableBytes, std::span<std::uint8_t, kTagSize> tag) override {
    if (!keyed) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "no key");
    std::ranges::fill(tag, name_);
    return {};
  }
  Result<void> open(const Nonce&, Bytes, MutableBytes, std::span<const std::uint8_t, kTagSize> tag) override {
    if (!keyed) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "no key");
    if (tag.front() == name_) return {};
    return fail(ErrorKind::DecryptFailed, Reason::AeadDecryptFailed, "of the other");
  }

  bool refuses = false;
  bool keyed = false;
  std::uint8_t first_byte = 0;

 private:
  std::uint8_t name_;
};

class SizedAead : public testing::Test {
 protected:
  SizedAead() {
    auto small = std::make_unique<Fake>('s');
    auto large = std::make_unique<Fake>('l');
    small_ = small.get();
    large_ = large.get();
    aead_ = make_sized_aead(std::move(small), std::move(large), kSize);
  }

  /// Which of the two seals data of a size, as its name; 0: neither.
  char sealer(std::size_t size) {
    std::array<std::uint8_t, kTagSize> tag{};
    std::vector<std::uint8_t> data(size);
    if (!aead_->seal({}, {}, data, tag)) return 0;
    EXPECT_TRUE(aead_->open({}, {}, data, tag)) << "whoever sealed it opens it";
    return static_cast<char>(tag.front());
  }

  Fake* small_;
  Fake* large_;
  std::unique_ptr<Aead> aead_;
};

TEST_F(SizedAead, gives_each_size_to_one_of_the_two) {
  ASSERT_TRUE(aead_->set_key(TrafficKey()));
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kSize - 1, kSize})
    EXPECT_EQ(sealer(size), 's') << size;
  for (const std::size_t size : {kSize + 1, 2 * kSize, 1000 * kSize}) EXPECT_EQ(sealer(size), 'l') << size;
}

TEST_F(SizedAead, gives_both_the_key) {
  ASSERT_TRUE(aead_->set_key(TrafficKey::copy_of(std::vector<std::uint8_t>(32, 7))));
  EXPECT_EQ(small_->first_byte, 7);
  EXPECT_EQ(large_->first_byte, 7);
}

TEST_F(SizedAead, seals_nothing_before_it_has_a_key) {
  EXPECT_EQ(sealer(kSize), 0);
  EXPECT_EQ(sealer(kSize + 1), 0);
}

TEST_F(SizedAead, forgets_old_and_new_key_in_both_where_either_refuses) {
  for (Fake* const refusing : {small_, large_}) {
    refusing->refuses = false;
    ASSERT_TRUE(aead_->set_key(TrafficKey()));
    refusing->refuses = true;
    test::expect_error(aead_->set_key(TrafficKey()), ErrorKind::Provider, Reason::InternalError);
    EXPECT_FALSE(small_->keyed);
    EXPECT_FALSE(large_->keyed);
    EXPECT_EQ(sealer(kSize), 0);
    EXPECT_EQ(sealer(kSize + 1), 0);
    refusing->refuses = false;
    ASSERT_TRUE(aead_->set_key(TrafficKey())) << "and takes the next key";
    EXPECT_EQ(sealer(kSize), 's');
  }
}

/// Both halves are real here, so what is sealed on one side of the size opens with a plain AEAD of the same key.
TEST(SizedAeads, make_the_bytes_of_the_algorithm) {
  const auto provider = must(make_openssl_provider());
  for (const AeadInfo& row : kAeads) {
    const auto sized = make_sized_aead(must(provider->aead(row.id)), must(provider->aead(row.id)), kSize);
    const auto plain = must(provider->aead(row.id));
    const std::vector<std::uint8_t> key(32, 3);
    must(sized->set_key(TrafficKey::copy_of(key)));
    must(plain->set_key(TrafficKey::copy_of(key)));
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kSize - 1, kSize, kSize + 1, 10 * kSize}) {
      const std::vector<std::uint8_t> text(size, 9);
      std::vector<std::uint8_t> data = text;
      std::array<std::uint8_t, kTagSize> tag{};
      const std::array<std::uint8_t, 5> aad{1, 2, 3, 4, 5};
      must(sized->seal({}, aad, data, tag));
      std::vector<std::uint8_t> again = data;
      must(plain->open({}, aad, data, tag));
      EXPECT_EQ(data, text) << row.name << ' ' << size;
      must(sized->open({}, aad, again, tag));
      EXPECT_EQ(again, text) << row.name << ' ' << size;
      tag[0] ^= 1;
      test::expect_error(sized->open({}, aad, again, tag), ErrorKind::DecryptFailed, Reason::AeadDecryptFailed);
      EXPECT_EQ(again, std::vector<std::uint8_t>(size)) << "wiped";
    }
  }
}

TEST(SizedAeads, are_what_a_table_by_size_makes) {
  std::vector<Route> routes(kRoutes.begin(), kRoutes.end());
  for (Route& route : routes) {
    route.library = Library::OpenSsl;
    route.above.reset();
    if (route.algorithm == Algorithm(AeadId::ChaCha20Poly1305)) route.above = Route::Above{kSize, Library::AwsLc};
  }
  std::vector<Part> parts;
  for (const Library library : {Library::OpenSsl, Library::AwsLc})
    parts.push_back({library, must(make_openssl_provider())});
  const std::string one(parts.front().provider->description());
  const auto routed = make_routed_provider(std::move(parts), routes);
  EXPECT_EQ(routed->library_of(AeadId::ChaCha20Poly1305), one + " up to 100 bytes, " + one + " above");
  EXPECT_EQ(routed->library_of(AeadId::Aes256Gcm), one);
  const auto aead = must(routed->aead(AeadId::ChaCha20Poly1305));
  must(aead->set_key(TrafficKey()));
  for (const std::size_t size : {kSize, kSize + 1}) {
    std::vector<std::uint8_t> data(size, 1);
    std::array<std::uint8_t, kTagSize> tag{};
    must(aead->seal({}, {}, data, tag));
    must(aead->open({}, {}, data, tag));
    EXPECT_EQ(data, std::vector<std::uint8_t>(size, 1));
  }
}

}  // namespace
}  // namespace qsp::crypto
