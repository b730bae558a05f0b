#include "bench/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>
#include <string>
#include <utility>

#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::bench {
namespace {

using Cells = std::vector<std::string>;

/// What the figures of all measurements in memory have in common.
std::string in_memory() {
  return fmt::format(
      "both ends' work on one thread; seconds are this thread's processor time; median of {} rounds in which the "
      "contenders of a row take turns",
      kRounds);
}

std::string on(const std::string& provider) { return fmt::format("QSP's cryptography: {}\n", provider); }

std::string table_of(const text::Rows& rows) { return text::columns(rows, text::LastColumn::Right); }

std::string rate(double per_second) { return text::grouped(static_cast<std::uint64_t>(std::llround(per_second))); }
std::string ratio(double own, double yardstick) { return fmt::format("{:.2f}", own / yardstick); }
double mega(double bytes_per_second) { return bytes_per_second / 1e6; }

}  // namespace

Report report(const HandshakeResult& result) {
  const double qsp = 1 / result.qsp.seconds;
  const double tls = 1 / result.tls.seconds;
  const double primitives = 1 / result.primitives.seconds;
  const auto error = [&](const Pace& yardstick) {
    return std::hypot(result.qsp.error / result.qsp.seconds, yardstick.error / yardstick.seconds);
  };
  boost::json::object json{{"loops", result.loops},
                           {"qsp_per_sec", qsp},
                           {"tls_per_sec", tls},
                           {"primitives_per_sec", primitives},
                           {"qsp_us", 1e6 * result.qsp.seconds},
                           {"tls_us", 1e6 * result.tls.seconds},
                           {"primitives_us", 1e6 * result.primitives.seconds},
                           {"symmetric_us", 1e6 * result.symmetric},
                           {"ratio_to_tls", qsp / tls},
                           {"ratio_to_tls_error", qsp / tls * error(result.tls)},
                           {"ratio_to_primitives", qsp / primitives},
                           {"ratio_to_primitives_error", qsp / primitives * error(result.primitives)},
                           {"qsp_bytes", result.bytes},
                           {"provider", result.provider}};
  const auto row = [&](std::string name, const Pace& pace) {
    const bool own = &pace == &result.qsp;
    return Cells{std::move(name), rate(1 / pace.seconds), fmt::format("{:.0f}", 1e6 * pace.seconds),
                 own ? "1" : fmt::format("{:.3f} ± {:.3f}", qsp * pace.seconds, qsp * pace.seconds * error(pace))};
  };
  std::string text = table_of({{"mutual handshake", "per second", "us each", "QSP/this"},
                               row("QSP 1.0", result.qsp),
                               row("TLS 1.3 of this OpenSSL", result.tls),
                               row("primitives alone", result.primitives)});
  text += fmt::format("\nX25519MLKEM768, ML-DSA-65 both ways, AES-256-GCM, no QKD; {} handshakes of {} bytes\n",
                      text::grouped(result.loops), text::grouped(result.bytes));
  text += on(result.provider);
  text += fmt::format(
      "TLS: memory BIOs, self-signed certificates that both ends verify, SSL_CTX kept, no tickets\n"
      "primitives: a KEM key generated, encapsulated to and decapsulated; 2 signatures made, 2 verified under kept "
      "keys; {:.0f} us of hashes, HKDF, AEAD and random bytes\n"
      "ML-DSA signs by trial, so times scatter: more --loops, less ±\n{}\n",
      1e6 * result.symmetric, in_memory());
  return {.json = std::move(json), .text = std::move(text)};
}

Report report(const std::vector<SealResult>& results) {
  boost::json::array rows;
  text::Rows table{{"frame", "QSP MB/s", "AES-256-GCM MB/s", "TLS 1.3 MB/s", "QSP/AES", "QSP/TLS"}};
  for (const SealResult& result : results) {
    const double megabytes = static_cast<double>(result.size) / 1e6;
    const double qsp = megabytes / result.qsp;
    const double tls = megabytes / result.tls;
    const double bare = megabytes / result.bare;
    rows.push_back(boost::json::object{{"size", result.size},
                                       {"loops", result.loops},
                                       {"qsp_mb_per_sec", qsp},
                                       {"bare_mb_per_sec", bare},
                                       {"tls_mb_per_sec", tls},
                                       {"ratio_to_bare", qsp / bare},
                                       {"ratio_to_tls", qsp / tls}});
    table.push_back({fmt::format("{} bytes", text::grouped(result.size)), rate(qsp), rate(bare), rate(tls),
                     ratio(qsp, bare), ratio(qsp, tls)});
  }
  std::string text =
      table_of(table) +
      fmt::format(
          "\n{}payload sealed at one end and opened at the other, 1 MB = 10^6 bytes\n"
          "AES-256-GCM: EVP of OpenSSL in place, contexts kept, a nonce and 25 bytes of AAD for each frame\n"
          "TLS 1.3: SSL_write and SSL_read through a pair of memory BIOs, records of 16 KiB at most\n{}\n",
          on(results.front().provider), in_memory());
  return {.json = {{"rows", std::move(rows)}, {"provider", results.front().provider}}, .text = std::move(text)};
}

Report report(const std::vector<RekeyResult>& results) {
  boost::json::array rows;
  text::Rows table{{"rekey", "per second", "us each", "primitives per second", "QSP/primitives", "final epoch"}};
  for (const RekeyResult& result : results) {
    const double qsp = 1 / result.qsp;
    const double primitives = 1 / result.primitives;
    rows.push_back(boost::json::object{{"form", result.form},
                                       {"loops", result.loops},
                                       {"rekeys_per_sec", qsp},
                                       {"primitives_per_sec", primitives},
                                       {"ratio_to_primitives", qsp / primitives},
                                       {"final_epoch", result.final_epoch}});
    table.push_back({std::string(result.form), rate(qsp), fmt::format("{:.1f}", 1e6 * result.qsp), rate(primitives),
                     ratio(qsp, primitives), text::grouped(result.final_epoch)});
  }
  std::string text =
      table_of(table) +
      fmt::format(
          "\n{}INIT, ACK and DONE, every frame sealed and opened; QKD keys come from memory\n"
          "primitives: the same random bytes, hashes, HKDF, AEAD keys and frames, and KEM operations, without a "
          "protocol\n{}\n",
          on(results.front().provider), in_memory());
  return {.json = {{"rows", std::move(rows)}, {"provider", results.front().provider}}, .text = std::move(text)};
}

Report report(const RekeyBenchResult& result) {
  const double floor = result.total_ns_per_rekey / result.primitives_ns_per_rekey;
  boost::json::object json{{"loops", result.loops},
                           {"warmup", result.warmup},
                           {"elapsed_sec", result.elapsed_sec},
                           {"ops_per_sec", result.ops_per_sec},
                           {"final_epoch", result.final_epoch},
                           {"total_ns_per_rekey", result.total_ns_per_rekey},
                           {"primitives_ns_per_rekey", result.primitives_ns_per_rekey},
                           {"ratio", floor}};
  std::string text =
      fmt::format("loops: {}\nwarmup: {}\nelapsed_sec: {:.6f}\nops_per_sec: {:.1f} rekey/s\nfinal_epoch: {}\n",
                  result.loops, result.warmup, result.elapsed_sec, result.ops_per_sec, result.final_epoch);
  text += fmt::format("both ends: {:.0f} ns per rekey; the primitives alone: {:.0f} ns; ratio {:.2f}\n",
                      result.total_ns_per_rekey, result.primitives_ns_per_rekey, floor);
  return {.json = std::move(json), .text = std::move(text)};
}

Report report(const SessionsResult& result) {
  const EndMemory& server = result.server;
  const EndMemory& client = result.client;
  boost::json::object json{{"sessions", result.sessions},
                           {"elapsed_sec", result.elapsed_sec},
                           {"resident_bytes_per_session", server.resident + client.resident},
                           {"allocated_bytes_per_session", server.allocated + client.allocated},
                           {"resident_bytes_per_end", (server.resident + client.resident) / 2},
                           {"allocated_bytes_per_end", (server.allocated + client.allocated) / 2},
                           {"resident_bytes_per_server_end", server.resident},
                           {"allocated_bytes_per_server_end", server.allocated},
                           {"resident_bytes_per_client_end", client.resident},
                           {"allocated_bytes_per_client_end", client.allocated}};
  const auto row = [](std::string name, const EndMemory& end) {
    return Cells{std::move(name), fmt::format("{:.0f}", end.resident), fmt::format("{:.0f}", end.allocated)};
  };
  std::string text = table_of({{"bytes of an idle session", "resident", "allocated"},
                               row("server's end", server),
                               row("client's end", client)});
  text += fmt::format(
      "\n{} sessions at once over loopback TCP, established in {:.2f} s; each side is one process with one thread\n"
      "(the kernel's memory for sockets is not counted)\n",
      text::grouped(result.sessions), result.elapsed_sec);
  return {.json = std::move(json), .text = std::move(text)};
}

namespace {

boost::json::object json_of(const LoopbackResult& result) {
  boost::json::object object{{"bytes", result.bytes},
                             {"rounds", result.rounds},
                             {"qsp_mb_per_sec", mega(result.qsp)},
                             {"tls_mb_per_sec", mega(result.tls)},
                             {"ratio_to_tls", result.qsp / result.tls}};
  if (result.openssl) {
    object["openssl_mb_per_sec"] = mega(*result.openssl);
    object["ratio_to_openssl"] = result.qsp / *result.openssl;
  } else {
    object["why_no_openssl"] = result.why_no_openssl;
  }
  return object;
}

boost::json::object json_of(const PipesResult& result) {
  boost::json::array rows;
  const auto figures = [](boost::json::object& object, const std::string& whose, const std::optional<PipePace>& pace) {
    if (!pace) return;
    object[whose + "_mb_per_sec"] = mega(pace->bytes_per_second);
    object[whose + "_cpu_sec_per_gb"] = pace->cpu_per_gigabyte;
  };
  for (const PipesRow& row : result.rows) {
    boost::json::object object{{"name", row.name}};
    figures(object, "qsp", row.qsp);
    figures(object, "stunnel", row.stunnel);
    if (row.qsp && row.stunnel) {
      object["ratio_to_stunnel"] = row.qsp->bytes_per_second / row.stunnel->bytes_per_second;
      object["cpu_ratio_to_stunnel"] = row.qsp->cpu_per_gigabyte / row.stunnel->cpu_per_gigabyte;
    }
    rows.push_back(std::move(object));
  }
  boost::json::object object{{"bytes", result.bytes}, {"rounds", result.rounds}, {"rows", std::move(rows)}};
  object[result.stunnel.empty() ? "why_no_stunnel" : "stunnel"] =
      result.stunnel.empty() ? result.why_no_stunnel : result.stunnel;
  return object;
}

std::string text_of(const LoopbackResult& result) {
  const auto row = [&result](std::string name, double bytes_per_second) {
    return Cells{std::move(name), rate(mega(bytes_per_second)), ratio(result.qsp, bytes_per_second)};
  };
  text::Rows table{{"bulk data over loopback TCP", "MB/s", "QSP/this"},
                   row("QSP 1.0, two threads", result.qsp),
                   row("TLS 1.3, two threads", result.tls)};
  if (result.openssl) table.push_back(row("openssl s_client | s_server", *result.openssl));
  std::string text =
      table_of(table) + fmt::format(
                            "\n{} bytes one way, all AES-256-GCM after X25519MLKEM768; wall-clock time from dialling "
                            "until all have arrived; "
                            "median "
                            "of {} transfers each, in turns\n"
                            "TLS 1.3, two threads: SSL_write and SSL_read of 64 KiB on blocking sockets\n",
                            text::grouped(result.bytes), result.rounds);
  if (result.openssl) {
    text +=
        "openssl: two processes, zeros from a file in memory to /dev/null, the time of a start without data taken "
        "off\n";
  } else {
    text += fmt::format("openssl s_client | s_server is left out: {}\n", result.why_no_openssl);
  }
  return text;
}

std::string text_of(const PipesResult& result) {
  text::Rows table{{"from program to program", "QSP MB/s", "stunnel MB/s", "QSP/stunnel", "QSP CPU s/GB",
                    "stunnel CPU s/GB", "QSP/stunnel"}};
  for (const PipesRow& row : result.rows) {
    Cells cells{row.name, "-", "-", "-", "-", "-", "-"};
    const auto figures = [&cells](std::size_t column, const std::optional<PipePace>& pace) {
      if (!pace) return;
      cells[column] = rate(mega(pace->bytes_per_second));
      cells[column + 3] = fmt::format("{:.2f}", pace->cpu_per_gigabyte);
    };
    figures(1, row.qsp);
    figures(2, row.stunnel);
    if (row.qsp && row.stunnel) {
      cells[3] = ratio(row.qsp->bytes_per_second, row.stunnel->bytes_per_second);
      cells[6] = ratio(row.qsp->cpu_per_gigabyte, row.stunnel->cpu_per_gigabyte);
    }
    table.push_back(std::move(cells));
  }
  std::string text = table_of(table) + fmt::format(
                                           "\n{} bytes through pipes into one process, over loopback TCP, and out of "
                                           "another; median of {} transfers each, "
                                           "in "
                                           "turns, the time of a start without data taken off\n"
                                           "CPU: of both daemons, without the programs at their ends\n",
                                           text::grouped(result.bytes), result.rounds);
  if (result.stunnel.empty()) {
    text += fmt::format("stunnel is left out: {}\n", result.why_no_stunnel);
  } else {
    text += fmt::format("{}, TLS_AES_256_GCM_SHA384\n", result.stunnel);
  }
  return text;
}

}  // namespace

Report report(const LoopbackAndPipes& result) {
  boost::json::object json = result.threads ? json_of(*result.threads) : boost::json::object{};
  json["pipes"] = json_of(result.pipes);
  std::string text = result.threads ? text_of(*result.threads) + '\n' : std::string();
  return {.json = std::move(json), .text = text + text_of(result.pipes)};
}

}  // namespace qsp::bench
