#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "files/file.hpp"

/// How fast the simulator and the post-processing are on this machine, beside what others reached.
namespace qsp::e91::study {

struct BenchOptions {
  std::size_t blocks = 8;            ///< for each figure of Cascade and of whole blocks
  std::size_t key_bits = 1'000'000;  ///< of a block, sifted
};

/// One figure beside what others reached. Empty texts: nobody tells.
struct Figure {
  std::string what;
  std::string name;  ///< in JSON
  double value = 0;
  std::string_view unit;
  std::string_view anchor;
  std::string_view source;
};

/// Every run measures the same keys, errors and photons. `say` is told what is measured next. Errors: text.
files::OrText<std::vector<Figure>> measure(const BenchOptions& options, const std::function<void(std::string)>& say);

boost::json::object json_of(const BenchOptions& options, const std::vector<Figure>& figures);
std::string text_of(const BenchOptions& options, const std::vector<Figure>& figures);

}  // namespace qsp::e91::study
