#include "bench/seal.hpp"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "bench/ends.hpp"
#include "bench/tls.hpp"
#include "wire/cursor.hpp"

namespace qsp::bench {
namespace {

/// AES-256-GCM without anything around it.
class BareAead {
 public:
  static Outcome<BareAead> make() {
    BareAead made;
    const crypto::openssl::Cipher cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
    constexpr std::array<std::uint8_t, 32> kKey{};
    if (!cipher || EVP_EncryptInit_ex2(made.seal_.get(), cipher.get(), kKey.data(), nullptr, nullptr) != 1 ||
        EVP_DecryptInit_ex2(made.open_.get(), cipher.get(), kKey.data(), nullptr, nullptr) != 1) {
      return std::unexpected(tls::explain("AES-256-GCM cannot be set up"));
    }
    return made;
  }

  bool seal_and_open(MutableBytes data) noexcept {
    int size = 0;
    std::array<std::uint8_t, crypto::kTagSize> tag;
    crypto::Nonce nonce{};
    wire::Writer(nonce).u64(++count_);
    const auto length = static_cast<int>(data.size());
    return EVP_EncryptInit_ex2(seal_.get(), nullptr, nullptr, nonce.data(), nullptr) == 1 &&
           EVP_EncryptUpdate(seal_.get(), nullptr, &size, kAad.data(), kAad.size()) == 1 &&
           EVP_EncryptUpdate(seal_.get(), data.data(), &size, data.data(), length) == 1 &&
           EVP_EncryptFinal_ex(seal_.get(), tag.data(), &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, tag.size(), tag.data()) == 1 &&
           EVP_DecryptInit_ex2(open_.get(), nullptr, nullptr, nonce.data(), nullptr) == 1 &&
           EVP_CIPHER_CTX_ctrl(open_.get(), EVP_CTRL_AEAD_SET_TAG, tag.size(), tag.data()) == 1 &&
           EVP_DecryptUpdate(open_.get(), nullptr, &size, kAad.data(), kAad.size()) == 1 &&
           EVP_DecryptUpdate(open_.get(), data.data(), &size, data.data(), length) == 1 &&
           EVP_DecryptFinal_ex(open_.get(), tag.data(), &size) == 1;
  }

 private:
  /// SPEC §2: "app" ‖ header.
  static constexpr std::array<std::uint8_t, 3 + 22> kAad{};

  crypto::openssl::CipherContext seal_{EVP_CIPHER_CTX_new()}, open_{EVP_CIPHER_CTX_new()};
  std::uint64_t count_ = 0;
};

Outcome<void> carry(Pair& pair, MutableBytes frame, std::size_t size) {
  QSP_TRY(outcome(pair.client().seal_app_data(frame, size, false, {})));
  const std::size_t used = pair.server().handle_bytes(frame, {});
  const auto event = pair.server().poll_event();
  const auto* const data = event ? std::get_if<AppData>(&*event) : nullptr;
  if (used != frame.size() || data == nullptr || data->data.size() != size) {
    return std::unexpected("a frame of QSP 1.0 did not arrive in memory");
  }
  return {};
}

}  // namespace

Outcome<SealResult> bench_seal(std::size_t size, std::uint64_t loops) {
  QSP_TRY(const auto keys, KeyPair::make());
  QSP_TRY(const auto ends, Ends::make(keys));
  Wire wire;
  QSP_TRY(auto pair, Pair::establish(*ends, wire));
  QSP_TRY(const auto credential, tls::Credential::make("bench"));
  QSP_TRY(const auto contexts, tls::Contexts::make(credential, credential));
  QSP_TRY(auto tls_pair, tls::Pair::establish(contexts));
  QSP_TRY(auto bare, BareAead::make());

  // All three work on the same bytes, at the place where a frame's payload stands.
  const FrameRoom room = pair.client().frame_room();
  // The payload begins a cache line: where it does not, the rates of all three fall, by as much as a tenth.
  constexpr std::size_t kLine = 64;
  std::vector<std::uint8_t> memory(kLine + room.head + size + room.tail);
  void* place = memory.data() + room.head;
  std::size_t left = memory.size() - room.head;
  place = std::align(kLine, size + room.tail, place, left);
  const MutableBytes frame(static_cast<std::uint8_t*>(place) - room.head, room.head + size + room.tail);
  const MutableBytes payload = frame.subspan(room.head, size);
  const auto repeat = [](auto once) {
    return [once](std::uint64_t times) -> Outcome<void> {
      for (std::uint64_t i = 0; i < times; ++i) {
        QSP_TRY(once());
      }
      return {};
    };
  };
  const std::array<Contender, 3> contenders{
      repeat([&] { return carry(pair, frame, size); }),
      repeat([&] { return tls_pair.carry(payload); }),
      repeat([&]() -> Outcome<void> {
        if (!bare.seal_and_open(payload)) return std::unexpected(tls::explain("AES-256-GCM failed"));
        return {};
      }),
  };
  QSP_TRY(const auto paces, take_turns(contenders, loops));
  return SealResult{.size = size,
                    .loops = loops,
                    .qsp = paces[0].seconds,
                    .tls = paces[1].seconds,
                    .bare = paces[2].seconds,
                    .provider = std::string(ends->provider().description())};
}

}  // namespace qsp::bench
