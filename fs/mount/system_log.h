// Sends warnings and errors of a daemon that has no terminal to syslog(3).
//
// Threads: thread-safe.
#ifndef FS_MOUNT_SYSTEM_LOG_H_
#define FS_MOUNT_SYSTEM_LOG_H_

#include <ctime>

#include "glog/logging.h"

namespace fs {

class SystemLog : public google::LogSink {
 public:
  SystemLog();
  ~SystemLog() override;
  void send(google::LogSeverity severity, const char* full_filename, const char* base_filename, int line,
            const struct tm* time, const char* message, size_t message_size) override;
};

}  // namespace fs

#endif  // FS_MOUNT_SYSTEM_LOG_H_
