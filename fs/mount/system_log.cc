#include "fs/mount/system_log.h"

#include <syslog.h>

namespace fs {

SystemLog::SystemLog() {
  openlog("cachefs", LOG_PID, LOG_DAEMON);
  google::AddLogSink(this);
}

SystemLog::~SystemLog() {
  google::RemoveLogSink(this);
  closelog();
}

void SystemLog::send(google::LogSeverity severity, const char*, const char*, int, const struct tm*, const char* message,
                     size_t message_size) {
  if (severity < google::GLOG_WARNING) return;
  syslog(severity == google::GLOG_WARNING ? LOG_WARNING : LOG_ERR, "%.*s", static_cast<int>(message_size), message);
}

}  // namespace fs
