// What a KME answers: a client must survive what KMEs are known to write, and no more.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "etsi014/support.hpp"
#include "json/json.hpp"
#include "support/freed_memory.hpp"

namespace qsp::etsi014 {
namespace {

/// The members of the standard's §6.1.
const std::string kStatus =
    R"({"source_KME_ID":"AAAABBBBCCCCDDDD","target_KME_ID":"EEEEFFFFGGGGHHHH","master_SAE_ID":"IIIIJJJJKKKKLLLL",)"
    R"("slave_SAE_ID":"MMMMNNNNOOOOPPPP","key_size":352,"stored_key_count":25000,"max_key_count":100000,)"
    R"("max_key_per_request":128,"max_key_size":1024,"min_key_size":64,"max_SAE_ID_count":0})";

/// Of §6.3.
const std::string kContainer =
    R"({"keys":[{"key_ID":"bc490419-7d60-487f-adc1-4ddcc177c139","key":"wHHVxRwDJs3/bXd38GHP3oe4svTuRpZS0yCC7x4Ly+s="},)"
    R"({"key_ID":"0a782fb5-3434-48fe-aa4d-14f41d46cf92","key":"OeGMPxh1+2RpJpNCYixWHFLYRubpOKCw94FcCI7VdJA="}]})";

constexpr std::string_view kFirstKey = "\"wHHVxRwDJs3/bXd38GHP3oe4svTuRpZS0yCC7x4Ly+s=\"";
constexpr std::string_view kFirstId = "\"bc490419-7d60-487f-adc1-4ddcc177c139\"";

std::string status_refusal(std::string_view what, std::string_view by) {
  return refusal(parse_status(with(kStatus, what, by)));
}
std::string container_refusal(std::string_view what, std::string_view by) {
  return refusal(parse_key_container(with(kContainer, what, by)));
}

TEST(Status, the_standards_example_is_read_and_written_back) {
  const auto status = parse_status(kStatus);
  ASSERT_TRUE(status) << status.error();
  EXPECT_EQ(status->source_kme_id, "AAAABBBBCCCCDDDD");
  EXPECT_EQ(status->slave_sae_id, "MMMMNNNNOOOOPPPP");
  EXPECT_EQ(status->key_size, 352U);
  EXPECT_EQ(status->stored_key_count, 25000U);
  EXPECT_EQ(status->max_sae_id_count, 0U);
  EXPECT_FALSE(status->simulated);
  EXPECT_EQ(text_of(*status), kStatus);
}

TEST(Status, an_id_that_is_a_number_is_read) {
  const auto status =
      parse_status(with(with(kStatus, "\"IIIIJJJJKKKKLLLL\"", "25452407"), "\"AAAABBBBCCCCDDDD\"", "0"));
  ASSERT_TRUE(status) << status.error();
  EXPECT_EQ(status->master_sae_id, "25452407");
  EXPECT_EQ(status->source_kme_id, "0");
  EXPECT_NE(status_refusal("\"IIIIJJJJKKKKLLLL\"", "1.5"), "accepted");
  EXPECT_NE(status_refusal("\"IIIIJJJJKKKKLLLL\"", "-1"), "accepted");
}

TEST(Status, every_member_is_needed_and_of_its_type) {
  for (const std::string_view name :
       {"source_KME_ID", "target_KME_ID", "master_SAE_ID", "slave_SAE_ID", "key_size", "stored_key_count",
        "max_key_count", "max_key_per_request", "max_key_size", "min_key_size", "max_SAE_ID_count"}) {
    const std::string member = "\"" + std::string(name) + "\":";
    EXPECT_EQ(status_refusal(member, "\"other_" + std::string(name) + "\":"), std::string(name) + ": missing");
    for (const std::string_view value : {"null", "true", "{}", "[]", "1.5", "-1", "1e2"}) {
      const std::string text = with(kStatus, member, member + std::string(value) + ",\"x\":");
      EXPECT_TRUE(refusal(parse_status(text)).starts_with(name)) << name << " " << value;
    }
  }
  EXPECT_NE(status_refusal("\"key_size\":352", R"("key_size":"352")"), "accepted");
}

TEST(Status, the_length_of_an_id_is_bounded) {
  const auto id = [](std::size_t size) { return '"' + std::string(size, 'a') + '"'; };
  EXPECT_EQ(status_refusal("\"IIIIJJJJKKKKLLLL\"", id(kMaxSaeIdSize)), "accepted");
  EXPECT_NE(status_refusal("\"IIIIJJJJKKKKLLLL\"", id(kMaxSaeIdSize + 1)), "accepted");
  EXPECT_NE(status_refusal("\"IIIIJJJJKKKKLLLL\"", id(0)), "accepted");
}

TEST(Status, numbers_reach_sixty_four_bits) {
  const auto status = parse_status(with(kStatus, "25000", "18446744073709551615"));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->stored_key_count, std::numeric_limits<std::uint64_t>::max());
  EXPECT_NE(status_refusal("25000", "18446744073709551616"), "accepted");
}

/// SPEC §5.7: "unless its value is false, null, 0, or a text".
TEST(Status, an_extension_may_say_that_keys_are_simulated) {
  const auto simulated = [](std::string_view extension) {
    const auto status = parse_status(with(kStatus, "}", ",\"status_extension\":" + std::string(extension) + "}"));
    return status ? (status->simulated ? "yes" : "no") : "refused";
  };
  EXPECT_STREQ(simulated(R"({"simulated":true})"), "yes");
  for (const std::string_view no : {"{}", "null", R"({"simulated":false})", R"({"simulated":null})",
                                    R"({"simulated":"False"})", R"({"simulated":"no"})", R"({"simulated":0})",
                                    R"({"simulated":0.0})", R"({"simulated":"0"})", R"({"x":[{}]})"}) {
    EXPECT_STREQ(simulated(no), "no") << no;
  }
  for (const std::string_view yes :
       {R"({"simulated":"true"})", R"({"simulated":1})", R"({"simulated":"1"})", R"({"simulated":"yes"})",
        R"({"simulated":""})", R"({"simulated":{}})", R"({"simulated":[]})", R"({"simulated":"simulated"})",
        R"({"simulated":"false "})", R"({"simulated":-1})", R"({"simulated":18446744073709551615})"}) {
    EXPECT_STREQ(simulated(yes), "yes") << yes;
  }
  for (const std::string_view bad : {"true", "[]", "\"simulated\""}) EXPECT_STREQ(simulated(bad), "refused") << bad;
  auto status = parse_status(kStatus);
  status->simulated = true;
  EXPECT_TRUE(parse_status(text_of(*status))->simulated);
}

TEST(KeyContainer, the_standards_example_is_read_and_written_back) {
  const auto container = parse_key_container(kContainer);
  ASSERT_TRUE(container) << container.error();
  ASSERT_EQ(container->keys.size(), 2U);
  EXPECT_EQ(container->keys[0].key_id, "bc490419-7d60-487f-adc1-4ddcc177c139");
  EXPECT_EQ(container->keys[0].key.size(), 32U);
  EXPECT_EQ(container->keys[0].key.reveal()[0], 0xc0);
  EXPECT_EQ(container->keys[1].key.reveal()[31], 0x90);
  EXPECT_FALSE(container->keys[0].simulated);
  EXPECT_EQ(text_of(*container), kContainer);
}

TEST(KeyContainer, without_keys_is_one_with_none) {
  for (const std::string_view text : {R"({"keys":[]})", R"({"keys":null})", R"({"keys":null,"x":1})", "{}"}) {
    const auto container = parse_key_container(text);
    ASSERT_TRUE(container) << text;
    EXPECT_EQ(container->keys.size(), 0U);
  }
  for (const std::string_view text : {"[]", "1", "null", R"({"keys":{}})", R"({"keys":[1]})", R"({"key":"AAAA"})",
                                      R"({"keys":[[]]})", R"({"keys":["a"]})", ""}) {
    EXPECT_NE(refusal(parse_key_container(text)), "accepted") << text;
  }
}

TEST(KeyContainer, an_upper_case_key_id_is_left_as_it_is) {
  const auto container = parse_key_container(with(kContainer, "bc490419-7d60-487f-adc1", "BC490419-7D60-487F-ADC1"));
  ASSERT_TRUE(container);
  EXPECT_EQ(container->keys[0].key_id, "BC490419-7D60-487F-ADC1-4ddcc177c139");
}

TEST(KeyContainer, unknown_members_are_skipped_wherever_they_stand) {
  const std::string more = R"("vendor":[{"x":{"y":null}}],"key_container_ID":7,)";
  EXPECT_EQ(container_refusal("{\"keys\"", "{" + more + "\"keys\""), "accepted");
  EXPECT_EQ(container_refusal("{\"key_ID\"", "{" + more + "\"key_ID\""), "accepted");
}

TEST(KeyContainer, a_member_twice_is_refused) {
  EXPECT_NE(container_refusal("{\"key_ID\"", R"({"key_ID":"x","key_ID")"), "accepted");
  EXPECT_NE(container_refusal("{\"keys\"", R"({"keys":[],"keys")"), "accepted");
  EXPECT_NE(container_refusal("{\"keys\"", R"({"x":1,"x":2,"keys")"), "accepted");
}

TEST(KeyContainer, a_key_is_exact_base64) {
  for (const std::string_view key : {R"("")", R"("wHHV=")", R"("wHHVxRw")", R"("wHHVxR==")", R"("wHHVxQ==\n")",
                                     R"("wHHV xQ==")", R"("wH-VxQ==")", "1", "null", "{}", "[]", "true"}) {
    EXPECT_TRUE(container_refusal(kFirstKey, key).starts_with("key: ")) << key;
  }
  EXPECT_EQ(container_refusal(kFirstKey, R"("wHHVxQ==")"), "accepted");
  EXPECT_EQ(container_refusal(kFirstKey, R"("wHHV\/w==")"), "accepted") << "a slash may be escaped";
  EXPECT_EQ(container_refusal("\"key\":", "\"kee\":"), "key: missing");
}

TEST(KeyContainer, the_length_of_a_key_is_bounded) {
  const std::vector<std::uint8_t> bytes(kMaxKeySize + 1, 7);
  const auto key = [&bytes](std::size_t size) {
    const auto base64 = json::to_base64(Bytes(bytes).first(size));
    return '"' + std::string(base64.data(), base64.size()) + '"';
  };
  const auto longest = parse_key_container(with(kContainer, kFirstKey, key(kMaxKeySize)));
  ASSERT_TRUE(longest);
  EXPECT_TRUE(std::ranges::equal(longest->keys[0].key.reveal(), Bytes(bytes).first(kMaxKeySize)));
  EXPECT_NE(container_refusal(kFirstKey, key(kMaxKeySize + 1)), "accepted");
  EXPECT_NE(container_refusal(kFirstKey, '"' + std::string(2000, 'A') + '"'), "accepted");
}

TEST(KeyContainer, a_key_id_is_a_text_of_bounded_length) {
  EXPECT_EQ(container_refusal(kFirstId, '"' + std::string(kMaxTextSize, 'a') + '"'), "accepted");
  EXPECT_NE(container_refusal(kFirstId, '"' + std::string(kMaxTextSize + 1, 'a') + '"'), "accepted");
  for (const std::string_view id : {"\"\"", "1", "null", "[]"}) {
    EXPECT_TRUE(container_refusal(kFirstId, id).starts_with("key_ID: ")) << id;
  }
}

TEST(KeyContainer, the_number_of_keys_is_bounded) {
  const auto keys = [](std::size_t count) {
    return "{\"keys\":" + list_of(count, R"({"key_ID":"a","key":"AAAA"})") + "}";
  };
  EXPECT_EQ(parse_key_container(keys(kMaxKeysPerMessage))->keys.size(), kMaxKeysPerMessage);
  EXPECT_NE(refusal(parse_key_container(keys(kMaxKeysPerMessage + 1))), "accepted");
}

TEST(KeyContainer, an_extension_may_say_that_a_key_is_simulated) {
  const auto container = parse_key_container(
      with(kContainer, kFirstKey, std::string(kFirstKey) + R"(,"key_extension":{"simulated":true})"));
  ASSERT_TRUE(container);
  EXPECT_TRUE(container->keys[0].simulated);
  EXPECT_FALSE(container->keys[1].simulated);
  EXPECT_TRUE(parse_key_container(text_of(*container))->keys[0].simulated);
  for (const std::string_view name : {"key_extension", "key_ID_extension"}) {
    const std::string member = std::string(kFirstKey) + ",\"" + std::string(name) + "\":";
    EXPECT_EQ(container_refusal(kFirstKey, member + "null"), "accepted");
    EXPECT_NE(container_refusal(kFirstKey, member + "[]"), "accepted");
  }
}

/// SPEC §5.7: whatever cannot be read as "not simulated" is told, wherever it stands.
TEST(KeyContainer, its_own_extension_and_that_of_an_id_may_say_it_too) {
  const auto by_id = parse_key_container(
      with(kContainer, kFirstKey, std::string(kFirstKey) + R"(,"key_ID_extension":{"simulated":"true"})"));
  ASSERT_TRUE(by_id);
  EXPECT_TRUE(by_id->keys[0].simulated);
  EXPECT_FALSE(by_id->keys[1].simulated);
  const auto whole =
      parse_key_container(with(kContainer, "{\"keys\"", R"({"key_container_extension":{"simulated":1},"keys")"));
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->keys[0].simulated && whole->keys[1].simulated);
  EXPECT_NE(container_refusal("{\"keys\"", R"({"key_container_extension":[],"keys")"), "accepted");
}

TEST(KeyContainer, depth_is_bounded) {
  const std::string deep = std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']');
  EXPECT_NE(container_refusal("{\"keys\"", "{\"x\":" + deep + ",\"keys\""), "accepted");
}

TEST(KeyContainer, errors_quote_nothing) {
  for (const std::string& text :
       {container_refusal(kFirstKey, R"("c2VjcmV0")"
                                     ",\"key\":\"c2VjcmV0\""),
        container_refusal(kFirstKey, R"("c2VjcmV0=")"), container_refusal(kFirstId, "c2VjcmV0")}) {
    EXPECT_NE(text, "accepted");
    EXPECT_EQ(text.find("c2Vj"), std::string::npos) << text;
  }
}

TEST(KeyContainer, leaves_nothing_of_a_key_in_memory) {
  const std::string base64(kFirstKey.substr(1, 44));
  const auto bytes = parse_key_container(kContainer);
  ASSERT_TRUE(bytes);
  for (const std::string_view secret : {std::string_view(base64), as_text(bytes->keys[0].key.reveal())}) {
    freed_memory::watch_for(secret);
    {
      const auto container = parse_key_container(kContainer);
      const SecretBytes text = to_json(*container);
      ASSERT_EQ(text.reveal_text(), kContainer);
    }
    EXPECT_EQ(freed_memory::found(), 0U);
  }
}

TEST(Message, is_whole_only_to_its_last_brace) {
  for (const std::string& text : {kStatus, kContainer}) {
    EXPECT_TRUE(is_whole(text));
    EXPECT_TRUE(is_whole(text + "\r\n"));
    for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(is_whole(text.substr(0, size))) << size;
  }
  for (const std::string_view text : {"1", "[]", "\"a\"", "{}{}"}) EXPECT_FALSE(is_whole(text)) << text;
}

TEST(Error, is_read_and_written_back) {
  const std::string text = R"({"message":"size shall be a multiple of 8","details":[{"size":"not a multiple of 8"}]})";
  const auto error = parse_error(text);
  ASSERT_TRUE(error) << error.error();
  EXPECT_EQ(error->message, kSizeNotMultipleOf8);
  ASSERT_EQ(error->details.size(), 1U);
  EXPECT_EQ(error->details[0], std::pair(std::string("size"), std::string("not a multiple of 8")));
  EXPECT_EQ(text_of(*error), text);
}

TEST(Error, details_that_are_no_texts_are_skipped) {
  const auto error = parse_error(R"({"message":"m","details":[{"a":1,"b":"x","c":{}},{}],"more":[]})");
  ASSERT_TRUE(error);
  ASSERT_EQ(error->details.size(), 1U);
  EXPECT_EQ(error->details[0].first, "b");
  EXPECT_TRUE(parse_error(R"({"message":"m"})"));
  EXPECT_TRUE(parse_error(R"({"message":"m","details":null})"));
}

TEST(Error, is_bounded_and_of_its_types) {
  const auto message = [](std::size_t size) { return "{\"message\":\"" + std::string(size, 'a') + "\"}"; };
  EXPECT_TRUE(parse_error(message(kMaxTextSize)));
  EXPECT_FALSE(parse_error(message(kMaxTextSize + 1)));
  const auto details = [](std::size_t count, std::string_view item) {
    return "{\"message\":\"m\",\"details\":" + list_of(count, item) + "}";
  };
  EXPECT_TRUE(parse_error(details(kMaxExtensions, R"({"a":"b"})")));
  EXPECT_FALSE(parse_error(details(kMaxExtensions + 1, "{}")));
  EXPECT_FALSE(parse_error(details(kMaxExtensions, R"({"a":"b","c":"d"})")));
  EXPECT_FALSE(parse_error(details(1, "{\"a\":\"" + std::string(kMaxTextSize + 1, 'a') + "\"}")));
  for (const std::string_view text : {"", "{}", "[]", R"({"message":1})", R"({"message":null})", R"({"message":""})",
                                      R"({"message":"m","details":{}})", R"({"message":"m","details":["x"]})"}) {
    EXPECT_FALSE(parse_error(text)) << text;
  }
}

}  // namespace
}  // namespace qsp::etsi014
