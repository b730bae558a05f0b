#pragma once

#include <optional>
#include <vector>

#include "bench/handshake.hpp"
#include "bench/loopback.hpp"
#include "bench/pipes.hpp"
#include "bench/rc155_rekey.hpp"
#include "bench/rekey.hpp"
#include "bench/seal.hpp"
#include "bench/sessions.hpp"

/// What `qsp bench` prints: one line of JSON, or a table for a person and below it what the figures mean.
namespace qsp::cli {

void print(const bench::HandshakeResult& result, bool json);
void print(const std::vector<bench::SealResult>& results, bool json);
void print(const std::vector<bench::RekeyResult>& results, bool json);
/// As SPEC_155 §10.3 has it.
void print(const bench::RekeyBenchResult& result, bool json);
void print(const bench::SessionsResult& result, bool json);
/// What `qsp bench loopback` measures.
struct LoopbackReport {
  std::optional<bench::LoopbackResult> threads;
  bench::PipesResult pipes;
};
void print(const LoopbackReport& report, bool json);

}  // namespace qsp::cli
