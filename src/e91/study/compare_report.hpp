#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "e91/study/compare.hpp"

/// What a comparison came to.
namespace qsp::e91::study {

/// The table, where each figure was published, and what "fits" means.
std::string text_of(const Comparisons& all);
/// `seed` repeats the run.
boost::json::object json_of(const Comparisons& all, std::string_view seed);

}  // namespace qsp::e91::study
