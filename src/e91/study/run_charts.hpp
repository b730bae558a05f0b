#pragma once

#include <vector>

#include "e91/study/charts.hpp"
#include "e91/study/result.hpp"

namespace qsp::e91::study {

/// The charts of a run: |S| and errors against the fraction that Eve attacks, the secret rate against distance with
/// this run in it, and E(θ). Samples of their own, drawn from `provider`. Errors: as point_at.
files::OrText<std::vector<view::Chart>> run_charts(crypto::Provider& provider, const LinkOptions& options,
                                                   const Setup& setup, const Total& total,
                                                   const std::vector<PublishedRate>& published);

}  // namespace qsp::e91::study
