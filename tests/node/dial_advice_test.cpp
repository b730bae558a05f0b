#include "node/dial_advice.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qsp::node {
namespace {

// Every way in which an error may tell its reader what to do. An advice that fits one cause misleads at another.
constexpr std::string_view kCompare = "compare keys, suites and policies of both ends";
constexpr std::string_view kTheirLog = "see its log";
constexpr std::string_view kOwnKme = "see the log above, and this end's KME or pad";
constexpr std::string_view kTheirKme = "see the other end's log, its KME or its pad";
constexpr std::string_view kBothKmes = "see the log above, and the KMEs or pads of both ends";
constexpr std::string_view kOwnFault = "this end failed, not the peer: see the log above";
constexpr std::string_view kAddress = "check the address";
constexpr std::string_view kProfile = "--profile on both ends";
constexpr std::string_view kServer = "check that it is a qsp server of profile";
constexpr std::string_view kAltered = "bytes were altered on the way";
constexpr std::string_view kFingerprint = "compare both with its operator (qsp fingerprint)";
constexpr std::string_view kBudget = "wait 10 s and connect again";
constexpr std::string_view kRoom = "try again later";
constexpr std::string_view kSlow = "too slow";
constexpr std::string_view kMoreTime = "that --retry-for left: give it more";
constexpr std::array kAll{kCompare, kTheirLog, kOwnKme,      kTheirKme, kBothKmes, kOwnFault, kAddress, kProfile,
                          kServer,  kAltered,  kFingerprint, kBudget,   kRoom,     kSlow,     kMoreTime};

using Advice = std::vector<std::string_view>;

/// Exactly these pieces of advice stand in the text.
void expect_advice(std::string_view text, const Advice& expected) {
  for (const std::string_view advice : kAll) {
    const bool wanted = std::ranges::find(expected, advice) != expected.end();
    EXPECT_EQ(text.find(advice) != std::string_view::npos, wanted) << '"' << advice << "\" in: " << text;
  }
}

std::string_view option_name(Setting setting) noexcept {
  return setting == Setting::Profile ? "--profile" : setting == Setting::RetryFor ? "--retry-for" : field_name(setting);
}

const Profile& profile(ProfileId id = ProfileId::Qsp10) { return profile_of(id); }

HandshakeEnd ended(Reason reason, bool by_peer = false) {
  return {.target = "bob:7155",
          .profile = &profile(),
          .closed = {.reason = reason, .text = "why", .by_peer = by_peer},
          .name = option_name};
}

TEST(DialAdvice, fits_what_this_end_found_in_the_handshake) {
  const std::vector<std::pair<Reason, Advice>> table{{Reason::QkdUnavailable, {kOwnKme}},
                                                     {Reason::InternalError, {kOwnFault}},
                                                     {Reason::Timeout, {kServer}},
                                                     {Reason::HandshakeFailed, {kCompare}},
                                                     {Reason::NoCommonSuite, {kCompare}},
                                                     {Reason::AeadDecryptFailed, {kAltered}},
                                                     {Reason::ProtocolError, {kAddress, kProfile}},
                                                     {Reason::EpochMismatch, {kAddress, kProfile}},
                                                     {Reason::RekeyFailed, {kAddress, kProfile}},
                                                     {Reason::Normal, {}},
                                                     {Reason::Limit, {kBudget}}};
  for (const auto& [reason, advice] : table) expect_advice(explain_handshake(ended(reason)), advice);
}

TEST(DialAdvice, is_none_where_the_user_interrupted_the_handshake) {
  EXPECT_EQ(explain_handshake(ended(Reason::Normal)), "interrupted before there was a session");
}

TEST(DialAdvice, fits_what_the_peer_said_in_the_handshake) {
  const std::vector<std::pair<Reason, Advice>> table{{Reason::QkdUnavailable, {kTheirKme}},
                                                     {Reason::HandshakeFailed, {kCompare, kTheirLog}},
                                                     {Reason::NoCommonSuite, {kCompare, kTheirLog}},
                                                     {Reason::InternalError, {kTheirLog}},
                                                     {Reason::Timeout, {kTheirLog}},
                                                     {Reason::AeadDecryptFailed, {kTheirLog}},
                                                     {Reason::ProtocolError, {kTheirLog}},
                                                     {Reason::EpochMismatch, {kTheirLog}},
                                                     {Reason::RekeyFailed, {kTheirLog}},
                                                     {Reason::Normal, {kTheirLog}},
                                                     {Reason::Limit, {kBudget}}};
  for (const auto& [reason, advice] : table) expect_advice(explain_handshake(ended(reason, true)), advice);
}

TEST(DialAdvice, fits_what_else_may_have_ended_the_handshake) {
  HandshakeEnd end = ended(Reason::Limit, true);
  end.server_is_full = true;
  expect_advice(explain_handshake(end), {kRoom, kTheirLog});
  end = ended(Reason::ProtocolError);
  end.foreign = {.name = "SSH", .article = "an"};
  expect_advice(explain_handshake(end), {kAddress});
  end = ended(Reason::HandshakeFailed);
  end.stranger = "it presented qsp1:x, not qsp1:y; compare both with its operator (qsp fingerprint)";
  expect_advice(explain_handshake(end), {kFingerprint});
  end = ended(Reason::QkdUnavailable);
  end.stranger = "it presented qsp1:x, not qsp1:y; compare both with its operator (qsp fingerprint)";
  expect_advice(explain_handshake(end), {kOwnKme});
  end = ended(Reason::Timeout);
  end.out_of_time = true;
  expect_advice(explain_handshake(end), {kMoreTime});
  end = ended(Reason::HandshakeFailed);
  end.cut_off = true;
  end.transport = "reset";
  expect_advice(explain_handshake(end), {kProfile, kTheirLog});
  HandshakeEnd silent{.target = "bob:7155",
                      .profile = &profile(ProfileId::DangerousRc155),
                      .closed = end.closed,
                      .cut_off = true,
                      .name = option_name};
  expect_advice(explain_handshake(silent), {kRoom, kAddress, kTheirLog});
  silent.heard_anything = true;
  expect_advice(explain_handshake(silent), {kProfile, kTheirLog});
}

TEST(QkdBudgetOfAClient, says_whose_it_is_and_how_long_to_wait) {
  Closed closed{.reason = Reason::Limit, .text = "", .by_peer = true};
  EXPECT_EQ(explain_spent_budget("bob:7155", closed),
            "bob:7155's budget of QKD keys is spent, or it has no room now (LIMIT: 10 handshakes at once, then one "
            "every 10 s): wait 10 s and "
            "connect again");
  closed.by_peer = false;
  EXPECT_TRUE(explain_spent_budget("bob:7155", closed).starts_with("this end's budget"));
}

TEST(DialAdvice, fits_what_ended_a_session) {
  const std::vector<std::pair<Reason, Advice>> table{{Reason::QkdUnavailable, {kBothKmes}},
                                                     {Reason::InternalError, {kOwnFault}},
                                                     {Reason::Timeout, {kSlow}},
                                                     {Reason::Limit, {}},
                                                     {Reason::HandshakeFailed, {kAltered}},
                                                     {Reason::NoCommonSuite, {kAltered}},
                                                     {Reason::AeadDecryptFailed, {kAltered}},
                                                     {Reason::ProtocolError, {kAltered}},
                                                     {Reason::EpochMismatch, {kAltered}},
                                                     {Reason::RekeyFailed, {kAltered}},
                                                     {Reason::Normal, {kAltered}}};
  for (const auto& [reason, advice] : table) expect_advice(session_advice(reason), advice);
  EXPECT_EQ(session_advice(Reason::Limit), "connect again");
}

}  // namespace
}  // namespace qsp::node
