// Which library the program takes, where a person may choose.
#include <gtest/gtest.h>

#include <string_view>

#include "crypto/routed/provider.hpp"
#include "crypto/routed/routes.hpp"

namespace qsp::crypto {
namespace {

TEST(Choice, has_a_name_and_a_library_of_its_own) {
  for (std::size_t i = 0; i < kLibraryNames.size(); ++i) {
    const auto library = static_cast<Library>(i);
    EXPECT_EQ(name(library), kLibraryNames[i]);
    const auto found = library_by_name(kLibraryNames[i]);
    EXPECT_EQ(found.has_value(), is_built_in(library));
    EXPECT_EQ(found.value_or(library), library);
  }
  for (const std::string_view none : {"", "OpenSSL", "aws-lc", "auto ", "boringssl"}) {
    const auto found = library_by_name(none);
    ASSERT_FALSE(found) << none;
    for (const std::string_view choice : kLibraryNames) EXPECT_NE(found.error().find(choice), std::string::npos);
  }
}

TEST(Choice, has_every_library_that_the_build_found) {
  EXPECT_EQ(is_built_in(Library::AwsLc), QSP_FOUND_AWSLC == 1);
  for (const Library always : {Library::Auto, Library::OpenSsl}) EXPECT_TRUE(is_built_in(always));
}

TEST(Choice, of_a_library_that_is_not_there_says_what_helps) {
  if (is_built_in(Library::AwsLc)) GTEST_SKIP() << "this program has AWS-LC";
  const auto made = make_provider(Library::AwsLc);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().find("./dev setup"), std::string::npos) << made.error();
  EXPECT_EQ(made.error(), library_by_name("awslc").error());
}

/// Which library a provider of the program says does an algorithm.
std::string_view start_of(Library library) { return library == Library::AwsLc ? "AWS-LC " : "OpenSSL "; }

TEST(Choice, decides_for_every_algorithm) {
  for (const Library choice : {Library::Auto, Library::OpenSsl, Library::AwsLc}) {
    if (!is_built_in(choice)) continue;
    auto provider = make_provider(choice);
    ASSERT_TRUE(provider) << provider.error();
    for (const Route& route : kRoutes) {
      if (!can(**provider, route.algorithm)) continue;
      Library expected = choice == Library::Auto ? route.library : choice;
      if (!is_built_in(expected)) expected = Library::OpenSsl;
      EXPECT_TRUE((*provider)->library_of(route.algorithm).starts_with(start_of(expected)))
          << name(choice) << ' ' << name(route.algorithm) << ": " << (*provider)->library_of(route.algorithm);
    }
    if (choice != Library::AwsLc) {
      EXPECT_EQ((*provider)->capabilities().kems, whole_suite().kems);
      EXPECT_EQ((*provider)->capabilities().signatures, whole_suite().signatures);
      EXPECT_EQ((*provider)->capabilities().aeads, whole_suite().aeads);
    }
  }
}

TEST(Choice, is_automatic_until_it_is_made_and_then_holds) {
  EXPECT_EQ(default_library(), Library::Auto);
  for (const Library choice : {Library::OpenSsl, Library::AwsLc}) {
    set_default_library(choice);
    EXPECT_EQ(default_library(), choice);
    const auto made = make_provider();
    ASSERT_EQ(made.has_value(), is_built_in(choice));
    EXPECT_TRUE(!made || (*made)->description().starts_with(start_of(choice)));
  }
  set_default_library(Library::Auto);
  const auto made = make_provider();
  ASSERT_TRUE(made);
  EXPECT_TRUE((*made)->description().starts_with("OpenSSL "));
  EXPECT_EQ((*made)->description().find("AWS-LC") != std::string_view::npos, is_built_in(Library::AwsLc));
}

}  // namespace
}  // namespace qsp::crypto
