#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/rounds.hpp"
#include "files/descriptor.hpp"

namespace qsp::bench {

using files::Descriptor;

/// A process that this one started. It does not outlive the object, nor the thread that started it.
class Child {
 public:
  /// A copy of this process that runs `work` and ends with the exit code that it returns. Precondition: this process
  /// has one thread.
  static Outcome<Child> copy(const std::function<int()>& work);

  /// What a program gets. Descriptors for 0, 1 and 2; those in `kept` stay open under their own numbers.
  struct Program {
    std::vector<std::string> arguments;  ///< the first is the file
    std::string library_folder;          ///< where its shared libraries are; empty: the system's
    std::array<int, 3> standard;
    std::vector<int> kept;
  };
  static Outcome<Child> run(const Program& program);

  Child(Child&& other) noexcept : process_(std::exchange(other.process_, -1)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(process_, other.process_);
    return *this;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// Waits until it ends. True if it did so with exit code 0; false as well when `patience` is over, and it is killed.
  bool succeeds(std::chrono::seconds patience);
  /// Processor seconds of it, without those of its children. It may have ended, and is not waited for by this.
  [[nodiscard]] double cpu_seconds() const noexcept;
  /// Waits until it ends and leaves its time to be asked for; false when `patience` is over.
  [[nodiscard]] bool ends(std::chrono::seconds patience) const noexcept;

 private:
  explicit Child(pid_t process) noexcept : process_(process) {}
  void kill() noexcept;

  pid_t process_;
};

}  // namespace qsp::bench
