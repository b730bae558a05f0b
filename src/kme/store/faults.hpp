#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace qsp::kme {

/// Faults put into a running KME on purpose, to rehearse what peers do then. All off unless the KME was started with
/// --allow-fault-injection and told so at its admin port. May be shared by threads.
class Faults {
 public:
  struct Setting {
    std::chrono::milliseconds latency{0};       ///< before each answer to an SAE
    bool unavailable = false;                   ///< every call of an SAE is answered 503
    bool lose_answers = false;                  ///< calls are carried out, and the connection closed without an answer
    bool wrong_bytes = false;                   ///< keys are delivered with one bit flipped
    bool disk_full = false;                     ///< the store refuses every transaction
    std::chrono::milliseconds clock_offset{0};  ///< of the KME's clock against the machine's
  };

  [[nodiscard]] Setting setting() const noexcept {
    return {.latency = std::chrono::milliseconds(latency_),
            .unavailable = unavailable_,
            .lose_answers = lose_answers_,
            .wrong_bytes = wrong_bytes_,
            .disk_full = disk_full_,
            .clock_offset = std::chrono::milliseconds(clock_offset_)};
  }
  void set(const Setting& setting) noexcept {
    latency_ = setting.latency.count();
    unavailable_ = setting.unavailable;
    lose_answers_ = setting.lose_answers;
    wrong_bytes_ = setting.wrong_bytes;
    disk_full_ = setting.disk_full;
    clock_offset_ = setting.clock_offset.count();
  }
  [[nodiscard]] bool disk_full() const noexcept { return disk_full_; }
  [[nodiscard]] std::chrono::milliseconds clock_offset() const noexcept {
    return std::chrono::milliseconds(clock_offset_);
  }

 private:
  std::atomic<std::int64_t> latency_ = 0, clock_offset_ = 0;
  std::atomic<bool> unavailable_ = false, lose_answers_ = false, wrong_bytes_ = false, disk_full_ = false;
};

}  // namespace qsp::kme
