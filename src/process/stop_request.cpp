#include "process/stop_request.hpp"

#include <csignal>

namespace qsp::process {
namespace {

volatile std::sig_atomic_t stop_came = 0;

extern "C" void on_stop(int) { stop_came = 1; }

}  // namespace

StopRequest::StopRequest() noexcept {
  stop_came = 0;
  struct sigaction action{};
  action.sa_handler = on_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

StopRequest::~StopRequest() {
  std::signal(SIGINT, SIG_DFL);   // NOLINT(bugprone-unused-return-value)
  std::signal(SIGTERM, SIG_DFL);  // NOLINT(bugprone-unused-return-value)
}

bool StopRequest::came() noexcept { return stop_came != 0; }

}  // namespace qsp::process
