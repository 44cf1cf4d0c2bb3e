// A Background process: the command returns only when its daemon is ready, with the
// daemon's own word for it.
//
// Shape:   Enter() forks. The parent waits for Report(), prints the text and exits with
//          the code; if the child dies without a report it says so. The child goes on
//          in a session of its own.
// Threads: single thread (main), before any other starts; Report() on any thread, once.
#ifndef FS_MOUNT_BACKGROUND_H_
#define FS_MOUNT_BACKGROUND_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace fs {

class Background {
 public:
  Background() = default;
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Returns in the child only (or an error, in the caller). Without it the process stays in the
  // foreground and Report() prints by itself.
  absl::Status Enter();

  // Tells that all is well (`error` empty: `text` goes to stdout, exit code 0), or not (to stderr).
  // In the background standard streams and the working directory are given up after a good report.
  void Report(int exit_code, absl::string_view text);
  bool reported() const { return reported_; }

 private:
  int pipe_ = -1;  // -1 in the foreground
  bool entered_ = false;
  bool reported_ = false;
};

}  // namespace fs

#endif  // FS_MOUNT_BACKGROUND_H_
