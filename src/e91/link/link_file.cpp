#include "e91/link/link_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

// Errors as values: nothing of a description is worth an exception.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace qsp::e91::link {

namespace {

using files::OrText;

/// Reads the fields of one table, which may be missing. The first problem of the file is kept, in `problem`, and what
/// is read afterwards does not matter.
class Table {
 public:
  Table(const std::string& file, const toml::table& whole, std::string name, std::optional<std::string>& problem)
      : file_(file), name_(std::move(name)), problem_(problem) {
    const toml::node* const node = whole.get(name_);
    if (node == nullptr) return;
    table_ = node->as_table();
    if (table_ == nullptr) fail_at(*node, "[" + name_ + "] is a table");
  }

  void text(std::string_view field, std::string& out) {
    const toml::node* const node = take(field);
    if (node == nullptr) return;
    constexpr std::size_t kMost = 500;
    const auto* const value = node->as_string();
    if (value == nullptr || value->get().size() > kMost) return fail(*node, field, "takes a text of up to 500 bytes");
    out = value->get();
  }

  /// One of two words.
  template <class Value>
  void choice(std::string_view field, Value& out, std::string_view one, Value of_one, std::string_view other,
              Value of_other) {
    const toml::node* const node = take(field);
    if (node == nullptr) return;
    const std::optional<std::string> value = node->value_exact<std::string>();
    if (value == one) {
      out = of_one;
    } else if (value == other) {
      out = of_other;
    } else {
      fail(*node, field, "takes \"" + std::string(one) + "\" or \"" + std::string(other) + '"');
    }
  }

  void number(std::string_view field, double& out) {
    const toml::node* const node = take(field);
    if (node == nullptr) return;
    const std::optional<double> value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value || !std::isfinite(*value)) return fail(*node, field, "takes a number");
    out = *value;
  }
  void number(std::string_view field, std::optional<double>& out) {
    if (table_ == nullptr || table_->get(field) == nullptr) return;
    number(field, out.emplace());
  }

  /// A field that nobody asked for is a problem.
  void finish() {
    if (table_ == nullptr) return;
    for (const auto& [key, value] : *table_) {
      if (!known_.contains(key.str())) fail(value, key.str(), "is unknown (see docs/qkd.md)");
    }
  }

 private:
  const toml::node* take(std::string_view field) {
    known_.emplace(field);
    return table_ == nullptr ? nullptr : table_->get(field);
  }
  void fail(const toml::node& node, std::string_view field, std::string_view text) {
    fail_at(node, "[" + name_ + "], field \"" + std::string(field) + "\": " + std::string(text));
  }
  void fail_at(const toml::node& node, std::string_view text) {
    if (!problem_) problem_ = file_ + ':' + std::to_string(node.source().begin.line) + ": " + std::string(text);
  }

  const std::string& file_;
  std::string name_;
  std::optional<std::string>& problem_;
  const toml::table* table_ = nullptr;
  std::set<std::string, std::less<>> known_;
};

void read_source(Table table, LinkFile& out) {
  table.text("title", out.title);
  table.text("reference", out.reference);
  table.number("distance_km", out.published.distance_km);
  table.number("qber", out.published.qber);
  table.number("visibility", out.published.visibility);
  table.number("s", out.published.s);
  table.number("raw_rate_per_s", out.published.raw_rate_per_s);
  table.number("sifted_rate_per_s", out.published.sifted_rate_per_s);
  table.number("key_rate_per_s", out.published.key_rate_per_s);
  table.finish();
}

void read_pairs(Table table, LinkConfig& out) {
  table.choice("statistics", out.statistics, "spdc", PairStatistics::Spdc, "single", PairStatistics::Single);
  table.number("slots_per_s", out.slots_per_s);
  table.number("mean_pairs", out.mean_pairs);
  table.number("visibility", out.visibility);
  table.number("intrinsic_error", out.intrinsic_error);
  table.number("misalignment_rad", out.misalignment_rad);
  table.finish();
}

void read_settings(Table table, LinkConfig& out) {
  table.choice("mode", out.mode, "biased", Mode::Biased, "classic", Mode::Classic);
  table.number("p_z", out.p_z);
  table.finish();
}

void read_arm(Table table, ArmConfig& out) {
  table.number("fibre_km", out.fibre_km);
  table.number("loss_db_per_km", out.loss_db_per_km);
  table.number("extra_loss_db", out.extra_loss_db);
  table.number("detector_efficiency", out.detector_efficiency);
  table.number("dark_counts_per_s", out.dark_counts_per_s);
  table.number("dead_time_ns", out.dead_time_ns);
  table.finish();
}

}  // namespace

OrText<LinkFile> load_link_file(const std::string& file) {
  const auto content = files::read_file(file, kMaxLinkFileSize);
  if (!content) return std::unexpected(content.error());
  const toml::parse_result parsed = toml::parse(content->text.reveal(), file);
  if (!parsed) {
    return std::unexpected(file + ':' + std::to_string(parsed.error().source().begin.line) + ": " +
                           std::string(parsed.error().description()));
  }
  const toml::table& whole = parsed.table();
  constexpr std::array<std::string_view, 5> kTables{"source", "pairs", "settings", "alice", "bob"};
  for (const auto& [key, value] : whole) {
    if (std::ranges::find(kTables, key.str()) == kTables.end()) {
      return std::unexpected(file + ':' + std::to_string(value.source().begin.line) + ": \"" + std::string(key.str()) +
                             "\" is unknown: a link has [source], [pairs], [settings], [alice] and [bob]");
    }
  }
  LinkFile link;
  std::optional<std::string> problem;
  read_source(Table(file, whole, "source", problem), link);
  read_pairs(Table(file, whole, "pairs", problem), link.config);
  read_settings(Table(file, whole, "settings", problem), link.config);
  read_arm(Table(file, whole, "alice", problem), link.config.alice);
  read_arm(Table(file, whole, "bob", problem), link.config.bob);
  if (problem) return std::unexpected(*problem);
  if (const auto valid = validate(link.config); !valid) {
    return std::unexpected(file + ": " + std::string(valid.error().where));
  }
  return link;
}

}  // namespace qsp::e91::link
