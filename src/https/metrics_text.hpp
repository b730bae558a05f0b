#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "https/https.hpp"
#include "text/escape.hpp"

namespace qsp::https {

/// One label of a sample, its value escaped: name="value".
inline std::string label(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, text::prometheus_label_escape(value));
}

/// Prometheus' text format 0.0.4: families, each with its samples behind it.
class MetricsText {
 public:
  /// `name` lives as long as its samples are added; `type` is "counter" or "gauge".
  void family(std::string_view name, std::string_view type, std::string_view help) {
    family_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  /// `labels` as label() makes them, with commas between.
  template <class Number>
  void sample(Number value, std::string_view labels = {}) {
    if (labels.empty()) {
      fmt::format_to(std::back_inserter(text_), "{} {}\n", family_, value);
    } else {
      fmt::format_to(std::back_inserter(text_), "{}{{{}}} {}\n", family_, labels, value);
    }
  }
  /// The answer to a scrape; takes the text.
  [[nodiscard]] Response response() {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = SecretBytes(std::move(text_));
    return response;
  }

 private:
  std::string text_;
  std::string_view family_;
};

}  // namespace qsp::https
