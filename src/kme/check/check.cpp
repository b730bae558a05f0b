#include "kme/check/check.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <iterator>
#include <map>
#include <utility>

#include "base/try.hpp"
#include "base/uuid.hpp"
#include "etsi014/etsi014.hpp"
#include "json/json.hpp"
#include "kme/check/caller.hpp"
#include "text/escape.hpp"

namespace qsp::kme::check {
namespace {

using Answer = std::expected<https::Response, https::CallFailure>;

/// What one test found: nothing, or what is wrong.
struct Finding {
  Verdict verdict;
  std::string seen;
};
Finding pass(std::string seen = {}) { return {Verdict::Pass, std::move(seen)}; }
Finding fail(std::string seen) { return {Verdict::Fail, std::move(seen)}; }
Finding not_testable(std::string why) { return {Verdict::NotTestable, std::move(why)}; }

std::string describe(const Answer& answer) {
  if (!answer) return answer.error().text;
  std::string text = "status " + std::to_string(answer->status);
  if (const auto error = etsi014::parse_error(answer->body.reveal_text()); error && answer->status != 200) {
    text += ", message \"" + error->message.substr(0, 100) + '"';
  }
  return text;
}

bool has_status(const Answer& answer, unsigned status) { return answer && answer->status == status; }

class Probe {
 public:
  Probe(Caller master, std::optional<Caller> slave, const CheckOptions& options)
      : master_(std::move(master)), slave_(std::move(slave)), options_(options) {}

  // §5.1, §6.1
  Finding status_answers() {
    status_answer_ = master_.get(path(options_.slave_sae_id, "status"));
    if (!has_status(status_answer_, 200)) return fail(describe(status_answer_));
    const auto parsed = etsi014::parse_status(status_answer_->body.reveal_text());
    if (!parsed) return fail(parsed.error());
    status_ = *parsed;
    return pass("status 200");
  }
  Finding content_is_json() {
    if (!status_answer_) return fail(describe(status_answer_));
    if (!status_answer_->content_type.starts_with("application/json")) {
      return fail("Content-Type \"" + status_answer_->content_type.substr(0, 60) + '"');
    }
    return pass();
  }
  Finding status_members() {
    const auto root = status_answer_ ? json::parse(status_answer_->body.reveal_text(), etsi014::kMaxDepth)
                                     : std::expected<boost::json::value, std::string>(std::unexpected("no answer"));
    if (!root || !root->is_object()) return fail(root ? "no JSON object" : root.error());
    const boost::json::object& object = root->get_object();
    for (const std::string_view name : {"source_KME_ID", "target_KME_ID", "master_SAE_ID", "slave_SAE_ID"}) {
      const auto* const value = object.if_contains(name);
      if (value == nullptr || !value->is_string()) return fail(std::string(name) + " is not there, or no string");
    }
    for (const std::string_view name : {"key_size", "stored_key_count", "max_key_count", "max_key_per_request",
                                        "max_key_size", "min_key_size", "max_SAE_ID_count"}) {
      const auto* const value = object.if_contains(name);
      if (value == nullptr || !value->is_int64() || value->get_int64() < 0) {
        return fail(std::string(name) + " is not there, or no integer");
      }
    }
    return pass();
  }
  Finding status_names() {
    if (!status_) return not_testable("no status");
    if (status_->master_sae_id != options_.master.sae_id) return fail("master_SAE_ID is not that of the certificate");
    if (status_->slave_sae_id != options_.slave_sae_id) return fail("slave_SAE_ID is not the one asked about");
    return pass();
  }
  Finding status_sizes() {
    if (!status_) return not_testable("no status");
    const bool ordered = status_->min_key_size > 0 && status_->min_key_size <= status_->key_size &&
                         status_->key_size <= status_->max_key_size;
    if (!ordered) return fail("0 < min_key_size ≤ key_size ≤ max_key_size does not hold");
    if (status_->max_key_per_request == 0) return fail("max_key_per_request is 0");
    if (status_->stored_key_count > status_->max_key_count) return fail("stored_key_count is above max_key_count");
    return pass();
  }

  // §5.2, §6.2, §6.3
  Finding post_without_body() { return keys_of(master_.post(enc(), ""), 1, default_size()); }
  Finding get_without_parameters() { return keys_of(master_.get(enc()), 1, default_size()); }
  Finding get_number_and_size() {
    return keys_of(master_.get(enc() + "?number=" + text(several()) + "&size=" + text(other_size())), several(),
                   other_size());
  }
  Finding post_number_and_size() {
    return keys_of(master_.post(enc(), R"({"number":)" + text(several()) + R"(,"size":)" + text(other_size()) + "}"),
                   several(), other_size());
  }
  Finding unknown_members_are_skipped() {
    return keys_of(master_.post(enc(), R"({"number":1,"x-unknown":[1,{"a":null}]})"), 1, default_size());
  }
  Finding optional_extension_is_skipped() {
    return keys_of(master_.post(enc(), R"({"extension_optional":[{"x-unknown":"1"}]})"), 1, default_size());
  }
  Finding ids_are_fresh() {
    if (keys_.empty()) return not_testable("no key was delivered");
    if (repeated_) return fail("a key_ID came twice");
    return pass(std::to_string(keys_.size()) + " different key_IDs");
  }
  Finding keys_differ() {
    if (keys_.size() < 2) return not_testable("fewer than two keys were delivered");
    // Pair by pair: a set of them would copy keys into memory that is not wiped.
    for (auto one = keys_.begin(); one != keys_.end(); ++one) {
      for (auto other = std::next(one); other != keys_.end(); ++other) {
        if (constant_time_equal(one->second.reveal(), other->second.reveal())) {
          return fail("two key_IDs have the same key");
        }
      }
    }
    return pass();
  }
  Finding size_multiple_of_8() {
    return refused(master_.post(enc(), R"({"size":)" + text(default_size() + 4) + "}"), etsi014::kSizeNotMultipleOf8);
  }
  Finding mandatory_extension() {
    const Answer answer = master_.post(enc(), R"({"extension_mandatory":[{"x-unknown":"1"}]})");
    if (answer && etsi014::parse_error(answer->body.reveal_text()).value_or(etsi014::Error{}).message ==
                      etsi014::kExtensionUnmet) {
      return refused(answer, etsi014::kExtensionUnmet);
    }
    return refused(answer, etsi014::kExtensionUnknown);
  }
  Finding too_many() {
    if (!status_) return not_testable("no status");
    return refused(master_.post(enc(), R"({"number":)" + text(status_->max_key_per_request + 1) + "}"), {});
  }
  Finding too_long() {
    if (!status_) return not_testable("no status");
    return refused(master_.post(enc(), R"({"size":)" + text(status_->max_key_size + 8) + "}"), {});
  }
  Finding too_short() {
    if (!status_ || status_->min_key_size <= 8) return not_testable("min_key_size is 8 bits or unknown");
    return refused(master_.post(enc(), R"({"size":)" + text((status_->min_key_size - 1) / 8 * 8) + "}"), {});
  }
  Finding no_number() { return refused(master_.post(enc(), R"({"number":0})"), {}); }
  Finding not_json() { return refused(master_.post(enc(), R"({"number":)"), {}); }
  Finding wrong_type() { return refused(master_.post(enc(), R"({"number":"many"})"), {}); }
  Finding too_many_saes() {
    if (!status_ || status_->max_sae_id_count > 1000) return not_testable("max_SAE_ID_count is unknown or very large");
    std::string body = R"({"additional_slave_SAE_IDs":[)";
    for (std::uint64_t i = 0; i <= status_->max_sae_id_count; ++i) {
      body += (i == 0 ? "\"x-sae-" : ",\"x-sae-") + text(i) + '"';
    }
    return refused(master_.post(enc(), body + "]}"), {});
  }
  Finding unknown_slave() {
    const Answer answer = master_.get(path("x-no-such-sae", "enc_keys"));
    if (has_status(answer, 400) || has_status(answer, 401)) return pass(describe(answer));
    return fail(describe(answer));
  }

  // §5.3, §6.4
  Finding dec_by_post() { return same_keys(1, true); }
  Finding dec_by_get() { return same_keys(1, false); }
  Finding dec_several() { return same_keys(2, true); }
  Finding dec_again() {
    if (!slave_) return without_slave();
    if (redeemed_.empty()) return not_testable("no key was redeemed before");
    return refused(slave_->post(dec(), ids_body({redeemed_})), etsi014::kKeyNotFound);
  }
  Finding dec_unknown() {
    if (!slave_) return without_slave();
    return refused(slave_->post(dec(), ids_body({"00000000-0000-4000-8000-000000000000"})), etsi014::kKeyNotFound);
  }
  Finding dec_all_or_nothing() {
    if (!slave_) return without_slave();
    const auto [id, key] = take_one();
    if (!id) return not_testable("no key is left to test with");
    const Answer mixed = slave_->post(dec(), ids_body({*id, "00000000-0000-4000-8000-000000000001"}));
    if (!has_status(mixed, 400)) return fail(describe(mixed));
    const Answer alone = slave_->post(dec(), ids_body({*id}));
    if (!has_status(alone, 200)) return fail("the key of a refused call is gone: " + describe(alone));
    return pass();
  }
  Finding dec_not_named() {
    if (!slave_) return without_slave();
    const auto [id, key] = take_one();
    if (!id) return not_testable("no key is left to test with");
    // The slave calls itself master: the Get key did not name it so.
    const Answer answer = slave_->post(path(options_.slave_sae_id, "dec_keys"), ids_body({*id}));
    if (has_status(answer, 401) || has_status(answer, 400)) return pass(describe(answer));
    return fail(describe(answer));
  }
  Finding dec_no_ids() {
    if (!slave_) return without_slave();
    return refused(slave_->post(dec(), R"({"key_IDs":[]})"), {});
  }

 private:
  static std::string text(std::uint64_t number) { return std::to_string(number); }
  static std::string path(const std::string& sae, std::string_view call) {
    return "/api/v1/keys/" + text::url_escape(sae) + '/' + std::string(call);
  }
  [[nodiscard]] std::string enc() const { return path(options_.slave_sae_id, "enc_keys"); }
  [[nodiscard]] std::string dec() const { return path(options_.master.sae_id, "dec_keys"); }
  [[nodiscard]] std::uint64_t default_size() const { return status_ ? status_->key_size : 256; }
  /// A size that is not the default where the KME has one.
  [[nodiscard]] std::uint64_t other_size() const {
    if (!status_) return default_size();
    const std::uint64_t longer = (status_->key_size / 8 + 8) * 8;
    return longer <= status_->max_key_size ? longer : status_->min_key_size;
  }
  [[nodiscard]] std::uint64_t several() const {
    return std::min<std::uint64_t>(3, status_ ? std::max<std::uint64_t>(status_->max_key_per_request, 1) : 1);
  }
  static Finding without_slave() { return not_testable("give the slave's KME and certificate to test dec_keys"); }
  static std::string ids_body(const std::vector<std::string>& ids) {
    return std::string(etsi014::to_json(etsi014::KeyIds{ids}).reveal_text());
  }

  /// That an answer holds so many keys of that size; they are kept for dec_keys.
  Finding keys_of(const Answer& answer, std::uint64_t number, std::uint64_t bits) {
    if (has_status(answer, 503)) return not_testable(describe(answer));
    if (!has_status(answer, 200)) return fail(describe(answer));
    auto container = etsi014::parse_key_container(answer->body.reveal_text());
    if (!container) return fail(container.error());
    if (container->keys.size() != number) {
      return fail(text(container->keys.size()) + " keys instead of " + text(number));
    }
    for (etsi014::Key& key : container->keys) {
      if (!parse_uuid(key.key_id)) return fail("a key_ID is not a UUID");
      if (key.key.size() * 8 != bits) return fail(text(key.key.size() * 8) + " bits instead of " + text(bits));
      repeated_ |= !keys_.emplace(key.key_id, std::move(key.key)).second;
    }
    return pass(text(number) + " of " + text(bits) + " bits");
  }

  /// That a call was refused with 400, in this text where the standard fixes one.
  static Finding refused(const Answer& answer, std::string_view message) {
    if (!has_status(answer, 400)) return fail(describe(answer));
    const auto error = etsi014::parse_error(answer->body.reveal_text());
    if (!error) return fail("status 400, but no Error body: " + error.error());
    if (!message.empty() && error->message != message) return fail(describe(answer));
    return pass(describe(answer));
  }

  std::pair<std::optional<std::string>, etsi014::KeyMaterial> take_one() {
    if (keys_.empty()) return {std::nullopt, etsi014::KeyMaterial(0)};
    auto node = keys_.extract(keys_.begin());
    return {node.key(), std::move(node.mapped())};
  }

  Finding same_keys(std::size_t number, bool post) {
    if (!slave_) return without_slave();
    std::map<std::string, etsi014::KeyMaterial> wanted;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < number; ++i) {
      auto [id, key] = take_one();
      if (!id) return not_testable("no key is left to test with");
      ids.push_back(*id);
      wanted.emplace(*id, std::move(key));
    }
    const Answer answer =
        post ? slave_->post(dec(), ids_body(ids)) : slave_->get(dec() + "?key_ID=" + text::url_escape(ids.front()));
    if (!has_status(answer, 200)) return fail(describe(answer));
    const auto container = etsi014::parse_key_container(answer->body.reveal_text());
    if (!container) return fail(container.error());
    if (container->keys.size() != number)
      return fail(text(container->keys.size()) + " keys instead of " + text(number));
    for (const etsi014::Key& key : container->keys) {
      const auto found = wanted.find(key.key_id);
      if (found == wanted.end()) return fail("a key_ID that was not asked for");
      if (!constant_time_equal(found->second.reveal(), key.key.reveal()))
        return fail("not the key that the master got");
      wanted.erase(found);
    }
    redeemed_ = ids.front();
    return pass("the master's bytes");
  }

  Caller master_;
  std::optional<Caller> slave_;
  const CheckOptions& options_;
  Answer status_answer_ = std::unexpected(https::CallFailure{false, "not asked"});
  std::optional<etsi014::Status> status_;
  std::map<std::string, etsi014::KeyMaterial> keys_;
  std::string redeemed_;
  bool repeated_ = false;
};

struct Test {
  std::string_view clause, rule;
  Finding (Probe::*run)();
};

constexpr Test kTests[] = {
    {"5.1", "GET status answers 200", &Probe::status_answers},
    {"5", "answers are JSON", &Probe::content_is_json},
    {"6.1", "status has all its members, in their types", &Probe::status_members},
    {"6.1", "status names master and slave as asked", &Probe::status_names},
    {"6.1", "the sizes and counts of status fit together", &Probe::status_sizes},
    {"5.2", "POST enc_keys without a body gives one key of key_size", &Probe::post_without_body},
    {"5.2", "GET enc_keys gives one key of key_size", &Probe::get_without_parameters},
    {"5.2", "GET enc_keys with number and size", &Probe::get_number_and_size},
    {"6.2", "POST enc_keys with number and size", &Probe::post_number_and_size},
    {"6.2", "unknown members of a request are skipped", &Probe::unknown_members_are_skipped},
    {"6.2", "an unknown extension_optional is skipped", &Probe::optional_extension_is_skipped},
    {"6.3", "every key has a key_ID of its own", &Probe::ids_are_fresh},
    {"6.3", "no key comes twice", &Probe::keys_differ},
    {"6.2", "a size that is no multiple of 8 is refused in the standard's words", &Probe::size_multiple_of_8},
    {"6.2", "an unknown extension_mandatory is refused in the standard's words", &Probe::mandatory_extension},
    {"6.2", "more than max_key_per_request are refused", &Probe::too_many},
    {"6.2", "more than max_key_size is refused", &Probe::too_long},
    {"6.2", "less than min_key_size is refused", &Probe::too_short},
    {"6.2", "number 0 is refused", &Probe::no_number},
    {"6.5", "what is no JSON is refused with an Error", &Probe::not_json},
    {"6.5", "a member of the wrong type is refused with an Error", &Probe::wrong_type},
    {"6.2", "more than max_SAE_ID_count additional slaves are refused", &Probe::too_many_saes},
    {"5.2", "an unknown slave is refused with 400 or 401, not with 404", &Probe::unknown_slave},
    {"5.3", "POST dec_keys gives the master's key", &Probe::dec_by_post},
    {"5.3", "GET dec_keys gives the master's key", &Probe::dec_by_get},
    {"6.4", "POST dec_keys takes several key_IDs", &Probe::dec_several},
    {"5.3", "a key is delivered once; then it is not found, in the standard's words", &Probe::dec_again},
    {"5.3", "an unknown key_ID is refused in the standard's words", &Probe::dec_unknown},
    {"5.3", "a call with one unknown key_ID delivers none and keeps the others", &Probe::dec_all_or_nothing},
    {"5.3", "who was not named by the Get key gets nothing", &Probe::dec_not_named},
    {"6.4", "an empty list of key_IDs is refused", &Probe::dec_no_ids},
};

}  // namespace

files::OrText<void> probe(const CheckOptions& options, const std::function<void(const CheckLine&)>& report) {
  QSP_TRY(auto master, Caller::make(options.master));
  std::optional<Caller> slave;
  if (options.slave) {
    QSP_TRY(auto made, Caller::make(*options.slave));
    slave = std::move(made);
  }
  const Answer first = master.get("/api/v1/keys/" + text::url_escape(options.slave_sae_id) + "/status");
  if (!first) return std::unexpected(first.error().text);
  Probe probe(std::move(master), std::move(slave), options);
  for (const Test& test : kTests) {
    Finding finding = (probe.*test.run)();
    report({test.clause, test.rule, finding.verdict, std::move(finding.seen)});
  }
  return {};
}

}  // namespace qsp::kme::check
