#include "base/init.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "absl/synchronization/mutex.h"
#include "glog/logging.h"

namespace base {

void InitProgram(const char* argv0) {
  static bool initialised = false;
  if (initialised) return;
  initialised = true;
  // glog's flags are gflags; they are set here and exposed nowhere.
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = google::GLOG_WARNING;
  google::InitGoogleLogging(argv0);
  std::signal(SIGPIPE, SIG_IGN);
  // Debian's Abseil looks for cycles of locks at every Lock(), which takes three times as long as
  // the lock. Tests keep it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const char* const directory = std::getenv("BUILD_WORKING_DIRECTORY");
  if (directory != nullptr && chdir(directory) != 0) PLOG(WARNING) << "cannot enter " << directory;
}

void LogToDirectory(absl::string_view directory) {
  FLAGS_log_dir = std::string(directory);
  FLAGS_logtostderr = false;
  FLAGS_alsologtostderr = false;
  FLAGS_minloglevel = google::GLOG_INFO;
  FLAGS_stderrthreshold = google::GLOG_ERROR;
}

std::string ProgramVersion() { return "0.1.0"; }

}  // namespace base
