#pragma once

#include <cstddef>
#include <functional>

#include "qsp/bytes.hpp"

namespace qsp::test {

/// A stack that outlives the calls made on it, for tests that a secret is wiped from local variables, too.
class OwnStack {
 public:
  /// False where AddressSanitizer keeps local variables elsewhere, so that there is nothing to be found.
#if defined(__SANITIZE_ADDRESS__)
  static constexpr bool kSees = false;
#elif defined(__has_feature)
  static constexpr bool kSees = !__has_feature(address_sanitizer);
#else
  static constexpr bool kSees = true;
#endif

  OwnStack();
  OwnStack(const OwnStack&) = delete;
  OwnStack& operator=(const OwnStack&) = delete;
  ~OwnStack();

  /// Calls `work` on this stack, cleared before, and waits for it. What `work` captures should be references: the
  /// function itself lives elsewhere.
  void run(const std::function<void()>& work);

  /// Whether these bytes stand anywhere on the stack after the last run.
  [[nodiscard]] bool holds(Bytes wanted) const;

 private:
  void* memory_;
};

}  // namespace qsp::test
