#include "bench/rc155_rekey.hpp"

#include <array>
#include <chrono>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

#include "base/try.hpp"
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
      QSP_TRY(server_->request_rekey({}));
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
    QSP_TRY(auto aead, provider.aead(crypto::AeadId::Aes256Gcm));
    return StepPrimitives(provider, std::move(aead));
  }

  Result<void> repeat(std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) {
      QSP_TRY(once());
    }
    return {};
  }

 private:
  StepPrimitives(crypto::Provider& provider, std::unique_ptr<crypto::Aead> aead) noexcept
      : provider_(&provider), aead_(std::move(aead)) {}

  Result<void> once() {
    QSP_TRY(provider_->rng().fill(material_));
    // Each end: confirm, and the next key out of the last.
    for (int end = 0; end < 2; ++end) {
      QSP_TRY(provider_->hkdf().hash({material_, as_bytes("ack")}));
      QSP_TRY(const auto prk, provider_->hkdf().extract(salt_, {key_}));
      auto expanded = provider_->hkdf().expand(prk.reveal(), {as_bytes("rekey|"), material_}, key_);
      if (!expanded) return expanded;
    }
    // The new key at each end, and the one that overwrites the client's old key.
    for (int i = 0; i < 3; ++i) {
      QSP_TRY(aead_->set_key(TrafficKey::copy_of(key_)));
    }
    QSP_TRY(seal_and_open("rekey-init"));
    return seal_and_open("rekey-ack");
  }

  Result<void> seal_and_open(std::string_view label) {
    wire::Writer(nonce_).u64(++frames_);
    std::array<std::uint8_t, crypto::kTagSize> tag;
    QSP_TRY(aead_->seal(nonce_, as_bytes(label), message_, tag));
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
  QSP_TRY(auto client, rc155::dangerous_make_session(Role::Client, provider));
  QSP_TRY(auto server, rc155::dangerous_make_session(Role::Server, provider));
  Rekeying session(std::move(client), std::move(server));
  QSP_TRY(auto primitives, StepPrimitives::make(provider));

  QSP_TRY(session.handshake());
  QSP_TRY(session.repeat(warmup));
  const auto start = Clock::now();
  QSP_TRY(session.repeat(loops));
  const double elapsed = seconds_since(start);

  QSP_TRY(primitives.repeat(warmup));
  const auto floor_start = Clock::now();
  QSP_TRY(primitives.repeat(loops));
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
