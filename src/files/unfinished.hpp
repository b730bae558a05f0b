#pragma once

#include <csignal>
#include <string>

#include "files/file.hpp"

namespace qsp::files {

/// While it lives, every file and folder that this thread makes with create_file, write_new_file and create_folder is
/// part of one piece of work. What is made in part is worth nothing, and may hold secrets nobody knows of: unless
/// keep() was called all of it goes again, newest first, with this object; and also where SIGINT, SIGTERM or SIGHUP
/// ends the process meanwhile. One at a time in a process.
class Unfinished {
 public:
  Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished();

  /// The work is done: all stays.
  void keep() noexcept;
};

/// Makes a folder. One that is there already is an error.
OrText<void> create_folder(const std::string& folder);

/// No signal of those above reaches this thread while it lives, so that making a file and noting it down are one step.
class NoSignals {
 public:
  NoSignals() noexcept;
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;
  ~NoSignals();
  /// `name` was made just now: part of the work that is under way on this thread, if there is one.
  void note(const std::string& name, bool folder) const;

 private:
  sigset_t before_;
};

}  // namespace qsp::files
