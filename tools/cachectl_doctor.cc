#include "tools/cachectl_doctor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/bench/bench.h"
#include "base/clock.h"
#include "base/os/file.h"
#include "base/os/io_ring.h"
#include "base/units.h"
#include "fs/mount/mount_point.h"

namespace tools {
namespace {

constexpr absl::Duration kCheapWake = absl::Microseconds(20);
constexpr char kHaltPoll[] = "/sys/module/haltpoll/parameters/guest_halt_poll_ns";
constexpr int kHaltPollNs = 200'000;

std::string FirstLine(const std::string& path) {
  const absl::StatusOr<std::string> text = base::ReadFile(path, base::kMiB);
  return text.ok() ? text->substr(0, text->find('\n')) : "";
}

Finding Kernel() {
  utsname name{};
  uname(&name);
  const std::pair<absl::string_view, absl::string_view> version = absl::StrSplit(name.release, absl::MaxSplits('.', 1));
  int major = 0, minor = 0;
  if (!absl::SimpleAtoi(version.first, &major)) major = 0;
  const std::string rest(version.second.substr(0, version.second.find_first_not_of("0123456789")));
  if (!absl::SimpleAtoi(rest, &minor)) minor = 0;
  if (major * 1000 + minor >= 5011) return {Verdict::kGood, "kernel", name.release, ""};
  return {Verdict::kAdvice, "kernel", name.release,
          "5.11 and later let the mount clear suid bits itself, which saves a request at every write"};
}

Finding FuseDevice() {
  struct stat st {};
  if (stat("/dev/fuse", &st) != 0) {
    return {Verdict::kProblem, "/dev/fuse", "missing",
            "modprobe fuse; in a container: --device /dev/fuse. Nothing can be mounted without it"};
  }
  if (access("/dev/fuse", R_OK | W_OK) != 0) {
    return {Verdict::kProblem, "/dev/fuse", "not yours to open", "chmod 0666 /dev/fuse, as distributions do"};
  }
  const bool for_all = (st.st_mode & 0006) == 0006;
  return {for_all ? Verdict::kGood : Verdict::kAdvice, "/dev/fuse", for_all ? "for all users" : "for root only",
          for_all ? "" : "chmod 0666 /dev/fuse lets ordinary users mount"};
}

Finding Fusermount() {
  for (absl::string_view directory : absl::StrSplit(getenv("PATH") ? getenv("PATH") : "/bin:/usr/bin", ':')) {
    struct stat st {};
    const std::string path = absl::StrCat(directory, "/fusermount3");
    if (stat(path.c_str(), &st) != 0) continue;
    if (st.st_uid == 0 && (st.st_mode & S_ISUID)) return {Verdict::kGood, "fusermount3", path, ""};
    return {Verdict::kAdvice, "fusermount3", absl::StrCat(path, " is not setuid root"),
            "ordinary users cannot mount: chmod u+s it, or reinstall the package fuse3"};
  }
  return {Verdict::kAdvice, "fusermount3", "not installed", "apt install fuse3, so that ordinary users can mount"};
}

Finding AllowOther() {
  const absl::StatusOr<std::string> text = base::ReadFile("/etc/fuse.conf", base::kMiB);
  bool allowed = false;
  if (text.ok()) {
    for (absl::string_view line : absl::StrSplit(*text, '\n')) {
      allowed = allowed || absl::StripAsciiWhitespace(line) == "user_allow_other";
    }
  }
  if (allowed || geteuid() == 0) {
    return {Verdict::kGood, "allow_other", allowed ? "ordinary users may" : "root may; users may not", ""};
  }
  return {Verdict::kAdvice, "allow_other", "refused to ordinary users",
          "put user_allow_other into /etc/fuse.conf to share a user's mount with others"};
}

Finding IoUring() {
  const auto ring = base::IoRing::Create(8);
  if (ring.ok()) return {Verdict::kGood, "io_uring", "available", ""};
  return {Verdict::kAdvice, "io_uring", std::string(ring.status().message()),
          "threads are used instead: cold reads and commits cost more CPU. Containers allow it with a seccomp profile "
          "that has io_uring_setup, io_uring_enter and io_uring_register; kernel.io_uring_disabled must be 0"};
}

Finding RequestPages() {
  const std::string limit = FirstLine("/proc/sys/fs/fuse/max_pages_limit");
  int pages = 256;
  if (!limit.empty() && !absl::SimpleAtoi(limit, &pages)) pages = 256;
  if (pages >= 256) return {Verdict::kGood, "request size", "1 MiB", ""};
  return {Verdict::kAdvice, "request size", base::HumanSize(static_cast<uint64_t>(pages) * 4096),
          "sysctl fs.fuse.max_pages_limit=256: large transfers need fewer requests"};
}

Finding Wake() {
  const absl::Duration wake = MeasureWake(200);
  const std::string found = absl::StrFormat("%.1f us", absl::ToDoubleMicroseconds(wake));
  if (wake <= kCheapWake) return {Verdict::kGood, "wake of an idle CPU", found, ""};
  const std::string halt_poll = FirstLine(kHaltPoll);
  int halt_poll_ns = 0;
  const bool tunable = absl::SimpleAtoi(halt_poll, &halt_poll_ns);
  if (tunable && halt_poll_ns < kHaltPollNs) {
    return {Verdict::kAdvice, "wake of an idle CPU", found,
            absl::StrCat("echo ", kHaltPollNs, " > ", kHaltPoll, " (now ", halt_poll,
                         "): this virtual machine's CPUs halt at once when idle, and every request that finds one "
                         "halted waits for the host to wake it")};
  }
  return {Verdict::kAdvice, "wake of an idle CPU", found,
          "every request that finds its CPU asleep pays this; a busy machine may only look slow: try again when idle, "
          "and look at the CPU's deep sleep states (cpupower idle-set)"};
}

Finding Memory() {
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  const uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const std::string found = absl::StrCat(base::HumanSize(bytes), ", ", sysconf(_SC_NPROCESSORS_ONLN), " CPUs");
  if (limit.rlim_cur != RLIM_INFINITY) {
    return {Verdict::kAdvice, "memory", absl::StrCat(found, ", limited to ", base::HumanSize(limit.rlim_cur)),
            "ulimit -v unlimited: a mount holds up to 256 MiB of dirty data and 300 bytes for each file"};
  }
  return {bytes < base::kGiB ? Verdict::kAdvice : Verdict::kGood, "memory", found,
          bytes < base::kGiB ? "a mount holds up to 256 MiB of dirty data and 300 bytes for each file" : ""};
}

std::vector<Finding> Mounts() {
  std::vector<Finding> findings;
  for (const fs::MountEntry& mount : fs::ReadMounts()) {
    if (!fs::IsCachefsType(mount.type)) continue;
    const std::string path = absl::StrCat("/sys/class/bdi/", mount.major, ":", mount.minor, "/read_ahead_kb");
    const std::string read_ahead = FirstLine(path);
    int kilobytes = 0;
    const bool low = absl::SimpleAtoi(read_ahead, &kilobytes) && kilobytes < 1024;
    findings.push_back(
        {low ? Verdict::kAdvice : Verdict::kGood, absl::StrCat("mount ", mount.mount_point),
         absl::StrCat(mount.source, ", reads ahead ", read_ahead, " KiB"),
         low ? absl::StrCat("echo 1024 > ", path, ": sequential reads then need 8 times fewer requests") : ""});
  }
  return findings;
}

int RunDoctor(const base::Arguments&) {
  bool problem = false;
  for (const Finding& finding : Diagnose()) {
    const char* const word = finding.verdict == Verdict::kGood     ? "good"
                             : finding.verdict == Verdict::kAdvice ? "advice"
                                                                   : "PROBLEM";
    printf("%-8s %-22s %s\n", word, finding.what.c_str(), finding.found.c_str());
    if (!finding.advice.empty()) printf("%-8s %-22s -> %s\n", "", "", finding.advice.c_str());
    problem = problem || finding.verdict == Verdict::kProblem;
  }
  return problem ? 1 : 0;
}

}  // namespace

absl::Duration MeasureWake(int rounds) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return absl::ZeroDuration();
  std::vector<double> microseconds;
  std::thread sleeper([&] {
    int64_t sent = 0;
    while (read(pipe_ends[0], &sent, sizeof sent) == sizeof sent && sent != 0) {
      microseconds.push_back(static_cast<double>(base::Clock::Real().MonotonicNs() - sent) / 1000);
    }
  });
  for (int round = 0; round <= rounds; ++round) {
    absl::SleepFor(absl::Milliseconds(1));  // long enough for both CPUs to go idle
    const int64_t now = round == rounds ? 0 : base::Clock::Real().MonotonicNs();
    if (write(pipe_ends[1], &now, sizeof now) != sizeof now) break;
  }
  close(pipe_ends[1]);
  sleeper.join();
  close(pipe_ends[0]);
  if (microseconds.empty()) return absl::ZeroDuration();
  return absl::Microseconds(base::Median(microseconds));
}

std::vector<Finding> Diagnose() {
  std::vector<Finding> findings = {Kernel(),       FuseDevice(), Fusermount(), AllowOther(),
                                   RequestPages(), IoUring(),    Memory(),     Wake()};
  for (Finding& finding : Mounts()) findings.push_back(std::move(finding));
  return findings;
}

base::Command DoctorCommand() {
  return {.name = "doctor",
          .summary = "what this machine allows, what slows it down, what to change and why",
          .description =
              "Looks at the kernel, /dev/fuse, fusermount3, io_uring, limits, the cost of waking an idle CPU "
              "and the mounts there are. Changes nothing.",
          .examples = {{"cachectl doctor", "have a look"}},
          .exit_codes = {{0, "cachefs works here, perhaps with advice"}, {1, "something keeps it from working"}},
          .run = RunDoctor};
}

}  // namespace tools
