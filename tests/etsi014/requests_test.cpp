// What an SAE asks: strictly what the standard says.

#include <gtest/gtest.h>

#include <string>

#include "etsi014/support.hpp"

namespace qsp::etsi014 {
namespace {

/// The members of §6.2 and §6.4.
const std::string kRequest = R"({"number":3,"size":1024,"additional_slave_SAE_IDs":["ABCDEFG","HIJKLMN"]})";
const std::string kIds =
    R"({"key_IDs":[{"key_ID":"bc490419-7d60-487f-adc1-4ddcc177c139"},{"key_ID":"0a782fb5-3434-48fe-aa4d-14f41d46cf92"}]})";

std::string request_refusal(std::string_view text) { return refusal(parse_key_request(text)); }
std::string ids_refusal(std::string_view text) { return refusal(parse_key_ids(text)); }

TEST(KeyRequest, is_read_and_written_back) {
  const auto request = parse_key_request(kRequest);
  ASSERT_TRUE(request) << request.error();
  EXPECT_EQ(request->number, 3U);
  EXPECT_EQ(request->size, 1024U);
  EXPECT_EQ(request->additional_slave_sae_ids, (std::vector<std::string>{"ABCDEFG", "HIJKLMN"}));
  EXPECT_FALSE(request->extension_mandatory);
  EXPECT_EQ(text_of(*request), kRequest);
}

TEST(KeyRequest, nothing_and_an_empty_object_are_requests_of_defaults) {
  for (const std::string_view text : {"", "{}"}) {
    const auto request = parse_key_request(text);
    ASSERT_TRUE(request) << text;
    EXPECT_FALSE(request->number || request->size || request->extension_mandatory);
    EXPECT_TRUE(request->additional_slave_sae_ids.empty());
  }
  EXPECT_EQ(text_of(KeyRequest{}), "{}");
}

TEST(KeyRequest, numbers_are_whole_and_not_negative) {
  for (const std::string_view name : {"number", "size"}) {
    const auto with_value = [&name](std::string_view value) {
      return request_refusal("{\"" + std::string(name) + "\":" + std::string(value) + "}");
    };
    EXPECT_EQ(with_value("0"), "accepted");
    EXPECT_EQ(with_value("18446744073709551615"), "accepted");
    for (const std::string_view value : {"-1", "1.0", "1e1", "\"1\"", "true", "[]", "{}", "18446744073709551616"}) {
      EXPECT_TRUE(with_value(value).starts_with(name)) << name << " " << value;
    }
  }
}

TEST(KeyRequest, sae_ids_are_texts_of_bounded_length_and_number) {
  const auto slaves = [](std::string_view list) {
    return request_refusal("{\"additional_slave_SAE_IDs\":" + std::string(list) + "}");
  };
  const auto id = [](std::size_t size) { return "[\"" + std::string(size, 'a') + "\"]"; };
  EXPECT_EQ(slaves(id(kMaxSaeIdSize)), "accepted");
  EXPECT_NE(slaves(id(kMaxSaeIdSize + 1)), "accepted");
  EXPECT_EQ(slaves(list_of(kMaxAdditionalSaes, "\"a\"")), "accepted");
  EXPECT_NE(slaves(list_of(kMaxAdditionalSaes + 1, "\"a\"")), "accepted");
  for (const std::string_view list : {"[1]", "[\"\"]", "[null]", "[{}]", "{}", "\"a\""}) {
    EXPECT_NE(slaves(list), "accepted") << list;
  }
}

TEST(KeyRequest, says_whether_a_mandatory_extension_was_given) {
  const auto mandatory = [](std::string_view list) {
    const auto request = parse_key_request("{\"extension_mandatory\":" + std::string(list) + "}");
    return request ? (request->extension_mandatory ? "yes" : "no") : "refused";
  };
  EXPECT_STREQ(mandatory(R"([{"abc_route_type":"direct"}])"), "yes");
  EXPECT_STREQ(mandatory("[{}]"), "yes");
  EXPECT_STREQ(mandatory("[]"), "no");
  EXPECT_STREQ(mandatory(list_of(kMaxExtensions, "{}")), "yes");
  EXPECT_STREQ(mandatory(list_of(kMaxExtensions + 1, "{}")), "refused");
  for (const std::string_view bad : {"{}", "[1]", "\"x\"", "[null]", "true"}) EXPECT_STREQ(mandatory(bad), "refused");
}

TEST(KeyRequest, optional_members_that_are_null_are_as_good_as_absent) {
  const auto request = parse_key_request(
      R"({"number":null,"size":null,"additional_slave_SAE_IDs":null,"extension_mandatory":null,"extension_optional":null})");
  ASSERT_TRUE(request) << request.error();
  EXPECT_EQ(text_of(*request), "{}");
  EXPECT_FALSE(request->extension_mandatory);
}

TEST(KeyRequest, optional_extensions_are_checked_and_skipped) {
  const auto request = parse_key_request(R"({"extension_optional":[{"abc_max_age":30000}],"other":1})");
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->extension_mandatory);
  for (const std::string_view text : {R"({"extension_optional":{}})", R"({"extension_optional":[1]})"}) {
    EXPECT_NE(request_refusal(text), "accepted") << text;
  }
}

TEST(KeyRequest, a_member_twice_or_another_value_is_refused) {
  for (const std::string_view text : {R"({"size":256,"size":256})", R"({"x":1,"x":1})", "[]", "null", "1", "\"\"", " ",
                                      R"({"size":256} x)", R"({"size":256,})"}) {
    EXPECT_NE(request_refusal(text), "accepted") << text;
  }
}

TEST(KeyIds, are_read_and_written_back) {
  const auto ids = parse_key_ids(kIds);
  ASSERT_TRUE(ids) << ids.error();
  EXPECT_EQ(ids->key_ids,
            (std::vector<std::string>{"bc490419-7d60-487f-adc1-4ddcc177c139", "0a782fb5-3434-48fe-aa4d-14f41d46cf92"}));
  EXPECT_EQ(text_of(*ids), kIds);
}

TEST(KeyIds, unknown_members_and_extensions_are_skipped) {
  EXPECT_EQ(
      ids_refusal(R"({"key_IDs":[{"key_ID":"a","key_ID_extension":{"x":1},"y":2}],"key_IDs_extension":{},"z":0})"),
      "accepted");
  EXPECT_NE(ids_refusal(R"({"key_IDs":[{"key_ID":"a","key_ID_extension":1}]})"), "accepted");
  EXPECT_NE(ids_refusal(R"({"key_IDs":[{"key_ID":"a"}],"key_IDs_extension":[]})"), "accepted");
}

TEST(KeyIds, are_bounded_and_of_their_types) {
  const auto ids = [](std::size_t count) { return "{\"key_IDs\":" + list_of(count, R"({"key_ID":"a"})") + "}"; };
  EXPECT_EQ(ids_refusal(ids(kMaxKeysPerMessage)), "accepted");
  EXPECT_NE(ids_refusal(ids(kMaxKeysPerMessage + 1)), "accepted");
  EXPECT_EQ(ids_refusal(ids(0)), "key_IDs: empty");
  EXPECT_EQ(ids_refusal(with(kIds, "bc490419", std::string(kMaxTextSize, 'a'))), "key_ID: longer than 1024 bytes");
  for (const std::string_view text :
       {"", "{}", "[]", R"({"key_IDs":["a"]})", R"({"key_IDs":{"key_ID":"a"}})", R"({"key_IDs":[{}]})",
        R"({"key_IDs":[{"key_ID":1}]})", R"({"key_IDs":[{"key_ID":""}]})", R"({"key_IDs":null})",
        R"({"key_IDs":[{"key_ID":"a","key_ID":"b"}]})"}) {
    EXPECT_NE(ids_refusal(text), "accepted") << text;
  }
}

}  // namespace
}  // namespace qsp::etsi014
