#include "fs/bench_machine.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/os/file.h"
#include "base/status_macros.h"

namespace fs {
namespace {

constexpr char kHaltPollPath[] = "/sys/module/haltpoll/parameters/guest_halt_poll_ns";

absl::Status WriteHaltPoll(absl::string_view value) {
  ASSIGN_OR_RETURN(const base::Fd file, base::OpenFile(kHaltPollPath, O_WRONLY));
  return base::WriteFull(file.get(), value);
}

}  // namespace

absl::StatusOr<std::unique_ptr<HaltPoll>> HaltPoll::Set(uint64_t nanoseconds) {
  ASSIGN_OR_RETURN(const std::string found, base::ReadFile(kHaltPollPath, 1 << 20));
  RETURN_IF_ERROR(WriteHaltPoll(absl::StrCat(nanoseconds)));
  return std::unique_ptr<HaltPoll>(new HaltPoll(std::string(absl::StripAsciiWhitespace(found))));
}

HaltPoll::~HaltPoll() {
  const absl::Status status = WriteHaltPoll(found_);
  if (!status.ok())
    fprintf(stderr, "%s stays changed, it was %s: %s\n", kHaltPollPath, found_.c_str(), status.ToString().c_str());
}

BusyNeighbours::BusyNeighbours(int count) {
  for (int i = 0; i < count; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (std::atomic<uint64_t> work{0};;) work.fetch_add(1, std::memory_order_relaxed);
    }
    if (pid > 0) pids_.push_back(pid);
  }
}

BusyNeighbours::~BusyNeighbours() {
  for (const pid_t pid : pids_) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
}

double ProcessCpuSeconds(pid_t pid) {
  clockid_t clock;
  timespec time{};
  if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace fs
