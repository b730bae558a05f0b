#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "e91/study/result.hpp"
#include "e91/study/setup.hpp"
#include "text/table.hpp"

/// What a run of `qsp e91` came to, in rows and in JSON.
namespace qsp::cli {

/// A table for a terminal or a page: the head, and a row for each block.
text::Rows block_rows(e91::Mode mode, const std::vector<e91::study::BlockResult>& blocks);
/// Name and value of each figure of the whole run.
text::Rows total_rows(const e91::study::Setup& setup, const e91::study::Total& total);
/// Name and value of each parameter of the link.
text::Rows link_rows(const e91::study::Setup& setup);

boost::json::value estimate_json(const std::optional<e91::keyrate::Estimate>& estimate);  ///< null where there is none
boost::json::object block_json(e91::Mode mode, const e91::study::BlockResult& block);
boost::json::object total_json(const e91::study::Total& total);
boost::json::object setup_json(const e91::study::Setup& setup);

/// "79,790" or "0.1234".
std::string rate_text(double per_second);
/// "2.00 ± 0.03 %", and the same without the unit.
std::string percent_text(const e91::keyrate::Estimate& share);
std::string estimate_text(const e91::keyrate::Estimate& value);

}  // namespace qsp::cli
