#include "bench/rc155_rekey.hpp"

#include <array>
#include <chrono>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

#include "qsp/endpoint.hpp"
#include "rc155/session.hpp"
#include "wire/cursor.hpp"

namespace qsp::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::unexpected<Error> broken(std::string_view where) noexcept {
  return fail(ErrorKind::Internal, Reason::InternalError, where);
}

/// Two sessions and the buffer through which their frames pass.
class Rekeying {
 public:
  Rekeying(std::unique_ptr<Endpoint> client, std::unique_ptr<Endpoint> server) noexcept
      : client_(std::move(client)), server_(std::move(server)) {}

  Result<void> handshake() {
    pass(*client_, *server_);
    pass(*server_, *client_);
    if (client_->epoch() != 1 || server_->epoch() != 1) return broken("bench: no handshake");
    return {};
  }

  Result<void> repeat(std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) {
      const std::uint32_t epoch = server_->epoch();
      if (auto requested = server_->request_rekey({}); !requested) return requested;
      pass(*server_, *client_);
      pass(*client_, *server_);
      if (server_->epoch() != epoch + 1 || client_->epoch() != epoch + 1) return broken("bench: a rekey failed");
    }
    return {};
  }

  [[nodiscard]] std::uint32_t epoch() const noexcept { return server_->epoch(); }

 private:
  void pass(Endpoint& from, Endpoint& to) {
    const std::size_t size = from.poll_transmit(buffer_);
    for (MutableBytes rest = MutableBytes(buffer_).first(size); !rest.empty();) {
      const std::size_t used = to.handle_bytes(rest, {});
      if (used == 0) return;
      rest = rest.subspan(used);
    }
    while (to.poll_event()) {
    }
  }

  std::unique_ptr<Endpoint> client_;
  std::unique_ptr<Endpoint> server_;
  std::array<std::uint8_t, 2048> buffer_{};
};

/// The cryptography of one rekey, both ends together.
class StepPrimitives {
 public:
  static Result<StepPrimitives> make(crypto::Provider& provider) {
    auto aead = provider.aead(crypto::AeadId::Aes256Gcm);
    if (!aead) return std::unexpected(aead.error());
    return StepPrimitives(provider, std::move(*aead));
  }

  Result<void> repeat(std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) {
      if (auto done = once(); !done) return done;
    }
    return {};
  }

 private:
  StepPrimitives(crypto::Provider& provider, std::unique_ptr<crypto::Aead> aead) noexcept
      : provider_(&provider), aead_(std::move(aead)) {}

  Result<void> once() {
    if (auto drawn = provider_->rng().fill(material_); !drawn) return drawn;
    // Each end: confirm, and the next key out of the last.
    for (int end = 0; end < 2; ++end) {
      const auto confirmed = provider_->hkdf().hash({material_, as_bytes("ack")});
      if (!confirmed) return std::unexpected(confirmed.error());
      const auto prk = provider_->hkdf().extract(salt_, {key_});
      if (!prk) return std::unexpected(prk.error());
      auto expanded = provider_->hkdf().expand(prk->reveal(), {as_bytes("rekey|"), material_}, key_);
      if (!expanded) return expanded;
    }
    // The new key at each end, and the one that overwrites the client's old key.
    for (int i = 0; i < 3; ++i) {
      if (auto keyed = aead_->set_key(TrafficKey::copy_of(key_)); !keyed) return keyed;
    }
    if (auto passed = seal_and_open("rekey-init"); !passed) return passed;
    return seal_and_open("rekey-ack");
  }

  Result<void> seal_and_open(std::string_view label) {
    wire::Writer(nonce_).u64(++frames_);
    std::array<std::uint8_t, crypto::kTagSize> tag;
    if (auto sealed = aead_->seal(nonce_, as_bytes(label), message_, tag); !sealed) return sealed;
    return aead_->open(nonce_, as_bytes(label), message_, tag);
  }

  crypto::Provider* provider_;
  std::unique_ptr<crypto::Aead> aead_;
  std::uint64_t frames_ = 0;
  std::array<std::uint8_t, 32> material_{}, key_{};
  std::array<std::uint8_t, 19> salt_{};
  std::array<std::uint8_t, rc155::kRekeyMessageSize> message_{};
  crypto::Nonce nonce_{};
};

}  // namespace

Result<RekeyBenchResult> bench_rc155_rekey(crypto::Provider& provider, const RekeyBenchParameters& parameters) {
  const auto [loops, warmup] = parameters;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max() - 1;
  if (loops == 0 || loops > kMost || warmup > kMost - loops) {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "bench: number of loops");
  }
  auto client = rc155::dangerous_make_session(Role::Client, provider);
  if (!client) return std::unexpected(client.error());
  auto server = rc155::dangerous_make_session(Role::Server, provider);
  if (!server) return std::unexpected(server.error());
  Rekeying session(std::move(*client), std::move(*server));
  auto primitives = StepPrimitives::make(provider);
  if (!primitives) return std::unexpected(primitives.error());

  if (auto done = session.handshake(); !done) return std::unexpected(done.error());
  if (auto done = session.repeat(warmup); !done) return std::unexpected(done.error());
  const auto start = Clock::now();
  if (auto done = session.repeat(loops); !done) return std::unexpected(done.error());
  const double elapsed = seconds_since(start);

  if (auto done = primitives->repeat(warmup); !done) return std::unexpected(done.error());
  const auto floor_start = Clock::now();
  if (auto done = primitives->repeat(loops); !done) return std::unexpected(done.error());
  const double floor = seconds_since(floor_start);

  const auto count = static_cast<double>(loops);
  return RekeyBenchResult{.loops = loops,
                          .warmup = warmup,
                          .elapsed_sec = elapsed,
                          .ops_per_sec = count / elapsed,
                          .final_epoch = session.epoch(),
                          .primitives_ns_per_rekey = 1e9 * floor / count,
                          .total_ns_per_rekey = 1e9 * elapsed / count};
}

}  // namespace qsp::bench
