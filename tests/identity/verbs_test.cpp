#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "cli/app.hpp"
#include "cli/keys/fingerprint.hpp"
#include "cli/keys/keygen.hpp"
#include "cli/keys/pad.hpp"
#include "files/temp_folder.hpp"
#include "keysource/pad.hpp"

namespace qsp::cli::test {
namespace {

/// What a verb returned and printed.
struct Ran {
  int code;
  std::string out;
  std::string err;
};

template <class Verb>
Ran run(Verb verb) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int code = verb();
  return {code, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

class Verbs : public ::testing::Test {
 protected:
  [[nodiscard]] Ran keygen(std::string_view name, std::string_view algorithm = "Ed25519+ML-DSA-65") const {
    KeygenOptions options;
    options.out = folder_ / name;
    options.algorithm = algorithm;
    return run([&] { return run_keygen(options, true); });
  }

  [[nodiscard]] static Ran fingerprint(std::vector<std::string> files, std::string expected = "", bool json = false) {
    const FingerprintOptions options{std::move(files), "", std::move(expected)};
    return run([&] { return run_fingerprint(options, json); });
  }

  static std::string fingerprint_in(const Ran& ran) {
    return std::string(boost::json::parse(ran.out).at("fingerprint").as_string());
  }

  qsp::test::TempFolder folder_;
};

TEST_F(Verbs, agree_on_a_keys_fingerprint_wherever_it_stands) {
  const Ran made = keygen("alice.key");
  ASSERT_EQ(made.code, kOk) << made.err;
  const std::string expected = fingerprint_in(made);
  const std::string peers =
      folder_.with("peers.toml", "[[peer]]\nname='alice'\nserve=true\nkey_file='alice.key.pub'\n");
  const Ran shown = fingerprint({folder_ / "alice.key", folder_ / "alice.key.pub", peers}, "", true);
  ASSERT_EQ(shown.code, kOk) << shown.err;
  const auto parsed = boost::json::parse(shown.out);
  const auto& keys = parsed.at("keys").as_array();
  ASSERT_EQ(keys.size(), 3U);
  for (const auto& key : keys) EXPECT_EQ(key.at("fingerprint").as_string(), expected);
  EXPECT_EQ(keys[0].at("kind").as_string(), "private");
  EXPECT_EQ(keys[1].at("kind").as_string(), "public");
  EXPECT_EQ(keys[2].at("peer").as_string(), "alice");
  EXPECT_EQ(fingerprint({folder_ / "alice.key"}).out,
            expected + "  Ed25519+ML-DSA-65  " + folder_ / "alice.key" + '\n');
}

TEST_F(Verbs, tell_by_their_exit_code_whether_a_fingerprint_is_the_expected_one) {
  const std::string alice = fingerprint_in(keygen("alice.key"));
  const std::string bob = fingerprint_in(keygen("bob.key"));
  EXPECT_EQ(fingerprint({folder_ / "alice.key.pub"}, alice).code, kOk);
  EXPECT_EQ(fingerprint({folder_ / "alice.key.pub"}, bob).code, kFailed);
  EXPECT_EQ(fingerprint({folder_ / "alice.key.pub", folder_ / "bob.key.pub"}, alice).code, kFailed);
  EXPECT_EQ(fingerprint({folder_ / "alice.key.pub"}, "qsp1:12").code, kUsage);
}

TEST_F(Verbs, refuse_with_one_line_and_print_nothing) {
  ASSERT_EQ(keygen("alice.key").code, kOk);
  const Ran again = keygen("alice.key");
  EXPECT_EQ(again.code, kFailed);
  EXPECT_EQ(again.out, "");
  EXPECT_TRUE(again.err.contains("never overwritten")) << again.err;
  EXPECT_EQ(keygen("bob.key", "RSA").code, kUsage);

  const std::string open = folder_ / "alice.key";
  ASSERT_EQ(::chmod(open.c_str(), 0644), 0);
  for (const std::string& file : {open, folder_ / "nothing", folder_.with("text", "text\n")}) {
    const Ran shown = fingerprint({folder_ / "alice.key.pub", file});
    EXPECT_EQ(shown.code, kFailed) << file;
    EXPECT_EQ(shown.out, "");
    EXPECT_TRUE(shown.err.contains(file)) << shown.err;
  }
}

TEST_F(Verbs, encrypt_with_the_passphrase_of_a_file) {
  KeygenOptions options;
  options.out = folder_ / "alice.key";
  options.passphrase_file = folder_.with("passphrase", "correct horse\n");
  ASSERT_EQ(run([&] { return run_keygen(options, false); }).code, kOk);
  FingerprintOptions query{{options.out}, options.passphrase_file, ""};
  const Ran shown = run([&] { return run_fingerprint(query, false); });
  EXPECT_EQ(shown.code, kOk) << shown.err;
  EXPECT_EQ(shown.out.substr(0, 69), fingerprint({options.out + ".pub"}).out.substr(0, 69));
  query.passphrase_file = folder_.with("wrong", "incorrect horse\n");
  EXPECT_EQ(run([&] { return run_fingerprint(query, false); }).code, kFailed);
}

TEST_F(Verbs, make_pads_that_open_and_tell_what_is_left) {
  const PadCreateOptions creation{
      .keys = 100, .link = "berlin-paris", .file_a = folder_ / "a.pad", .file_b = folder_ / "b.pad"};
  const auto create = [&] { return run_pad_create(creation, true); };
  ASSERT_EQ(run(create).code, kOk);
  EXPECT_EQ(run(create).code, kFailed) << "never overwritten";
  {
    auto pad = keysource::Pad::open(creation.file_b);
    ASSERT_TRUE(pad && pad->take_next());
  }
  const PadStatusOptions query{creation.file_b};
  const Ran shown = run([&] { return run_pad_status(query, true); });
  ASSERT_EQ(shown.code, kOk) << shown.err;
  const auto status = boost::json::parse(shown.out);
  EXPECT_EQ(status.at("link").as_string(), "berlin-paris");
  EXPECT_EQ(status.at("half").as_string(), "b");
  EXPECT_FALSE(status.at("simulated").as_bool());
  EXPECT_EQ(status.at("own").at("used").to_number<int>(), 1);
  EXPECT_EQ(status.at("own").at("left").to_number<int>(), 49);
  EXPECT_EQ(status.at("other").at("left").to_number<int>(), 50);
  EXPECT_EQ(run([] { return run_pad_status({"/nowhere.pad"}, false); }).code, kFailed);
}

}  // namespace
}  // namespace qsp::cli::test
