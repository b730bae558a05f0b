#include "bench/loopback.hpp"

#include <algorithm>
#include <vector>

#include "base/try.hpp"
#include "bench/bulk.hpp"

namespace qsp::bench {
namespace {

/// Seconds of each transfer.
struct Times {
  std::vector<double> qsp, tls, openssl, openssl_start;
};

Outcome<void> add(std::vector<double>& times, const Outcome<double>& seconds) {
  if (!seconds) return std::unexpected(seconds.error());
  times.push_back(*seconds);
  return {};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

Outcome<LoopbackResult> bench_loopback(std::uint64_t bytes) {
  QSP_TRY(const auto keys, KeyPair::make());
  QSP_TRY(const auto credential, tls::Credential::make("bench"));
  QSP_TRY(const auto contexts, tls::Contexts::make(credential, credential));
  const auto openssl = OpensslProgram::make(credential);

  Times times;
  for (std::uint64_t round = 0; round < kTransfers; ++round) {
    QSP_TRY(add(times.qsp, send_with_qsp(keys, bytes)));
    QSP_TRY(add(times.tls, send_with_tls(contexts, bytes)));
    if (!openssl) continue;
    QSP_TRY(add(times.openssl_start, openssl->send(0)));
    QSP_TRY(add(times.openssl, openssl->send(bytes)));
  }
  const auto rate = [bytes](double seconds) { return static_cast<double>(bytes) / seconds; };
  LoopbackResult result{.bytes = bytes,
                        .rounds = kTransfers,
                        .qsp = rate(median(times.qsp)),
                        .tls = rate(median(times.tls)),
                        .openssl = std::nullopt,
                        .why_no_openssl = openssl ? "" : openssl.error()};
  if (!openssl) return result;
  const double seconds = median(times.openssl) - median(times.openssl_start);
  if (seconds > 0) {
    result.openssl = rate(seconds);
  } else {
    result.why_no_openssl = "so few bytes take openssl no longer than its start: ask for more (--bytes)";
  }
  return result;
}

}  // namespace qsp::bench
