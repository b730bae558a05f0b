#include "e91/station/block_log.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <string>

#include "text/units.hpp"

namespace qsp::e91::station {

void BlockLog::tell(const post::BlockReport& report, std::size_t keys) {
  const auto& chsh = report.tests.chsh;
  const std::string s = chsh ? fmt::format("|S| = {:.3f} ± {:.3f}", std::abs(chsh->value), chsh->deviation) : "no S";
  if (report.aborted) {
    spdlog::log(report.aborted == last_ ? spdlog::level::debug : spdlog::level::warn,
                "block {} given up{}: {} ({}, errors of the test rounds {:.1f} %)", report.block,
                report.by_peer ? " by the other station" : "", describe(*report.aborted), s,
                100 * report.tests.phase_error_rate());
  } else {
    spdlog::info("block {}: {}, QBER {:.2f} %, {} bits sifted, {} of key, {} keys", report.block, s,
                 100 * report.qber(), text::grouped(report.key_bits), text::grouped(report.length), keys);
  }
  last_ = report.aborted;
}

boost::json::object block_event(const post::BlockReport& report, std::size_t keys) {
  const auto& chsh = report.tests.chsh;
  boost::json::object event{{"event", "block"},
                            {"block", report.block},
                            {"slots", report.slots},
                            {"sifted_bits", report.key_bits},
                            {"test_bits", report.test_bits},
                            {"phase_error_rate", report.tests.phase_error_rate()},
                            {"qber", report.qber()},
                            {"disclosed_bits", report.disclosed},
                            {"key_bits", report.length},
                            {"keys", keys},
                            {"simulated", true}};
  event["s"] = chsh ? boost::json::value(chsh->value) : boost::json::value(nullptr);
  event["aborted"] = report.aborted ? boost::json::value(describe(*report.aborted)) : boost::json::value(nullptr);
  return event;
}

}  // namespace qsp::e91::station
