#include "fs/mount/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/command_line.h"
#include "base/os/file.h"
#include "base/status.h"

namespace fs {
namespace {

constexpr uint64_t kReportBytesMax = 64 << 10;

void Print(int exit_code, absl::string_view text) {
  if (text.empty()) return;
  if (exit_code == 0) {
    fprintf(stdout, "%.*s\n", static_cast<int>(text.size()), text.data());
    fflush(stdout);
  } else {
    base::PrintError("cachefs", text);
  }
}

// Waits for "CODE TEXT" and ends the process accordingly.
[[noreturn]] void WaitForReport(int fd, pid_t child) {
  const absl::StatusOr<std::string> report = base::ReadToEnd(fd, kReportBytesMax);
  const size_t space = report.ok() ? report->find(' ') : std::string::npos;
  int code = 0;
  if (space != std::string::npos && absl::SimpleAtoi(report->substr(0, space), &code)) {
    Print(code, report->substr(space + 1));
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Print(1, absl::StrCat("the daemon ended before the mount was usable (",
                        WIFSIGNALED(status) ? absl::StrCat("signal ", WTERMSIG(status))
                                            : absl::StrCat("exit code ", WEXITSTATUS(status)),
                        ")"));
  _exit(1);
}

}  // namespace

Background::~Background() {
  if (pipe_ >= 0) close(pipe_);
}

absl::Status Background::Enter() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return base::ErrnoStatus(errno, "pipe to the daemon");
  fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    return base::ErrnoStatus(error, "starting the daemon");
  }
  if (child > 0) {
    close(ends[1]);
    WaitForReport(ends[0], child);
  }
  close(ends[0]);
  pipe_ = ends[1];
  entered_ = true;
  setsid();
  return absl::OkStatus();
}

void Background::Report(int exit_code, absl::string_view text) {
  if (reported_) return;
  reported_ = true;
  if (!entered_) {
    Print(exit_code, text);
    return;
  }
  // Who started us may be gone; the mount is fine without.
  if (!base::WriteFull(pipe_, absl::StrCat(exit_code, " ", text)).ok()) errno = 0;
  close(pipe_);
  pipe_ = -1;
  if (exit_code != 0) return;
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, stream);
  if (null > STDERR_FILENO) close(null);
  if (chdir("/") != 0) errno = 0;
}

}  // namespace fs
