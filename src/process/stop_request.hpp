#pragma once

namespace qsp::process {

/// While it lives, the first SIGINT or SIGTERM only asks to stop; the second ends the process as ever. One at a time.
class StopRequest {
 public:
  StopRequest() noexcept;
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;
  ~StopRequest();

  [[nodiscard]] static bool came() noexcept;
};

}  // namespace qsp::process
