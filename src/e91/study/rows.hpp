#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "e91/study/result.hpp"
#include "e91/study/setup.hpp"
#include "text/table.hpp"

/// What a run of `qsp e91` came to, in rows and in JSON.
namespace qsp::e91::study {

/// A table for a terminal or a page: the head, and a row for each block.
text::Rows block_rows(Mode mode, const std::vector<BlockResult>& blocks);
/// Name and value of each figure of the whole run.
text::Rows total_rows(const Setup& setup, const Total& total);
/// Name and value of each parameter of the link.
text::Rows link_rows(const Setup& setup);

boost::json::value estimate_json(const std::optional<keyrate::Estimate>& estimate);  ///< null where there is none
boost::json::object block_json(Mode mode, const BlockResult& block);
boost::json::object total_json(const Total& total);
boost::json::object setup_json(const Setup& setup);

/// "79,790" or "0.1234".
std::string rate_text(double per_second);
/// "2.00 ± 0.03 %", and the same without the unit.
std::string percent_text(const keyrate::Estimate& share);
std::string estimate_text(const keyrate::Estimate& value);

}  // namespace qsp::e91::study
