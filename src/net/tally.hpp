#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsp/endpoint.hpp"

namespace qsp::net {

/// Counts what strangers cause, so that no flood of theirs fills a log: of each kind the first is told at once, and
/// what follows within a minute together, at its end. Belongs to one thread.
class Tally {
 public:
  static constexpr std::chrono::minutes kInterval{1};
  /// Kinds that are told apart; what is of yet another kind counts as "other".
  static constexpr std::size_t kMaxKinds = 16;

  struct Told {
    std::string kind;
    std::uint64_t count;  ///< since this kind was last told; at least 1
    boost::asio::ip::tcp::endpoint last;
    std::string detail;  ///< of the last one
  };

  /// Counts one. Returns what is to be told now, if anything. `detail` may be the stranger's own choice: it makes no
  /// kind.
  std::optional<Told> note(std::string_view kind, const boost::asio::ip::tcp::endpoint& from, Instant now,
                           std::string detail = {});
  /// What has waited for its minute to end.
  std::vector<Told> due(Instant now);
  /// All that waits, whenever its minute ends.
  std::vector<Told> rest();
  /// When due() will have something next; nothing waits where it is empty.
  [[nodiscard]] std::optional<Instant> next_due() const;

 private:
  struct Waiting {
    std::uint64_t count = 0;
    Instant told{};
    boost::asio::ip::tcp::endpoint last;
    std::string detail;
  };

  static Told take(const std::string& kind, Waiting& waiting);

  std::map<std::string, Waiting, std::less<>> kinds_;
};

}  // namespace qsp::net
