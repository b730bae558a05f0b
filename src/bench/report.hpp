#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/handshake.hpp"
#include "bench/libraries.hpp"
#include "bench/loopback.hpp"
#include "bench/pipes.hpp"
#include "bench/rc155_rekey.hpp"
#include "bench/rekey.hpp"
#include "bench/seal.hpp"
#include "bench/sessions.hpp"

/// What a measurement came to.
namespace qsp::bench {

struct Report {
  boost::json::object json;
  std::string text;  ///< a table, and below it what the figures mean
};

/// What `qsp bench loopback` measures.
struct LoopbackAndPipes {
  std::optional<LoopbackResult> threads;
  PipesResult pipes;
};

Report report(const HandshakeResult& result);
Report report(const std::vector<SealResult>& results);
Report report(const LibrariesResult& result);
Report report(const std::vector<RekeyResult>& results);
/// As SPEC_155 §10.3 has it.
Report report(const RekeyBenchResult& result);
Report report(const SessionsResult& result);
Report report(const LoopbackAndPipes& result);

}  // namespace qsp::bench
