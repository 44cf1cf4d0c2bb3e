#include "base/bench/bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/thread_pool.h"
#include "base/units.h"

extern char** environ;

namespace base {
namespace {

double Seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

double CpuSeconds(int who) {
  rusage usage;
  getrusage(who, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

std::string FirstLine(const char* path) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMiB);
  if (!text.ok()) return "?";
  return std::string(absl::StripAsciiWhitespace(text->substr(0, text->find('\n'))));
}

std::string CpuModel() {
  const absl::StatusOr<std::string> text = ReadFile("/proc/cpuinfo", kMiB);
  if (!text.ok()) return "?";
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    if (absl::StartsWith(line, "model name")) return std::string(absl::StripAsciiWhitespace(line.substr(line.find(':') + 1)));
  }
  return "?";
}

struct Series {
  std::vector<Measurement> runs;
  absl::Status status;

  double MedianOf(const std::function<double(const Measurement&)>& value) const {
    std::vector<double> values;
    for (const Measurement& run : runs) values.push_back(value(run));
    return Median(std::move(values));
  }
};

double Rate(Bench::By by, const Measurement& run) {
  const double seconds = by == Bench::By::kCpu ? run.cpu_seconds : run.wall_seconds;
  return seconds > 0 ? run.units / seconds : 0;
}

}  // namespace

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

absl::Status Bench::Run(absl::string_view filter) {
  std::printf("%s: %s\n", options_.title.c_str(), DescribeMachine().c_str());
  absl::Status first;
  for (const auto& [row, contenders] : rows_) {
    if (!absl::StrContains(row.name, filter)) continue;
    first.Update(RunRow(row, contenders));
  }
  return first;
}

absl::Status Bench::RunRow(const Row& row, const std::vector<Contender>& contenders) {
  std::vector<Series> series(contenders.size());
  std::string digest;
  for (int run = 0; run < (options_.tiny ? 1 : options_.runs); ++run) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      if (!series[i].status.ok()) continue;
      if (contenders[i].prepare) series[i].status = contenders[i].prepare();
      if (!series[i].status.ok()) continue;
      absl::StatusOr<Measurement> measured = contenders[i].run();
      series[i].status = measured.status();
      if (!measured.ok()) continue;
      if (row.compare_output && !measured->output_digest.empty()) {
        if (digest.empty()) digest = measured->output_digest;
        if (digest != measured->output_digest) {
          series[i].status = absl::DataLossError("output differs from the first contender's; its times do not count");
          continue;
        }
      }
      series[i].runs.push_back(*std::move(measured));
    }
  }
  std::printf("\n%s%s\n", row.name.c_str(), row.by == By::kCpu ? " (per CPU second)" : "");
  const auto rate = [&row](const Measurement& run) { return Rate(row.by, run); };
  const double base_rate = series[0].status.ok() ? series[0].MedianOf(rate) : 0;
  absl::Status first;
  for (size_t i = 0; i < contenders.size(); ++i) {
    if (!series[i].status.ok()) {
      std::printf("  %-28s %s\n", contenders[i].name.c_str(), series[i].status.ToString().c_str());
      first.Update(Annotate(series[i].status, absl::StrCat(row.name, ", ", contenders[i].name)));
      continue;
    }
    Result result = {.row = row.name, .contender = contenders[i].name, .units_per_second = series[i].MedianOf(rate)};
    double low = rate(series[i].runs[0]);
    double high = low;
    for (const Measurement& run : series[i].runs) {
      low = std::min(low, rate(run));
      high = std::max(high, rate(run));
      result.rss_bytes_max = std::max(result.rss_bytes_max, run.rss_bytes_max);
    }
    if (result.units_per_second > 0) result.spread = (high - low) / result.units_per_second;
    if (base_rate > 0) result.ratio = result.units_per_second / base_rate;
    result.cpu_us_per_unit = series[i].MedianOf(
        [](const Measurement& run) { return run.units > 0 ? run.cpu_seconds * 1e6 / run.units : 0; });
    std::printf("  %-28s %14s %s/s  %8.3fx  +-%3.0f%%  %10.2f us CPU/%s", result.contender.c_str(),
                result.units_per_second < 100 ? absl::StrFormat("%.2f", result.units_per_second).c_str()
                                              : HumanCount(static_cast<uint64_t>(result.units_per_second)).c_str(),
                row.unit.c_str(), result.ratio, 50 * result.spread, result.cpu_us_per_unit, row.unit.c_str());
    if (result.rss_bytes_max > 0) std::printf("  %s", HumanSize(result.rss_bytes_max).c_str());
    if (row.gate > 0 && i > 0) std::printf("  gate %.2fx: %s", row.gate, result.ratio >= row.gate ? "met" : "MISSED");
    std::printf("\n");
    results_.push_back(std::move(result));
  }
  std::fflush(stdout);
  return first;
}

absl::StatusOr<Measurement> Measure(const std::function<absl::Status()>& function) {
  const double cpu = CpuSeconds(RUSAGE_SELF);
  const int64_t start_ns = Clock::Real().MonotonicNs();
  RETURN_IF_ERROR(function());
  Measurement result;
  result.wall_seconds = static_cast<double>(Clock::Real().MonotonicNs() - start_ns) / 1e9;
  result.cpu_seconds = CpuSeconds(RUSAGE_SELF) - cpu;
  return result;
}

absl::StatusOr<Measurement> MeasureCommand(const std::vector<std::string>& argv, const CommandOptions& options) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const auto or_null = [](const std::string& path) { return path.empty() ? "/dev/null" : path.c_str(); };
  posix_spawn_file_actions_addopen(&actions, 0, or_null(options.stdin_path), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, or_null(options.stdout_path), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!options.directory.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.directory.c_str());
  const int64_t start_ns = Clock::Real().MonotonicNs();
  pid_t pid = 0;
  const int error_number = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error_number != 0) return ErrnoStatus(error_number, absl::StrCat("run ", argv[0]));
  int state = 0;
  rusage usage;
  while (wait4(pid, &state, 0, &usage) < 0) {
    if (errno != EINTR) return ErrnoStatus(errno, "wait");
  }
  const int exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  if (std::find(options.exit_codes.begin(), options.exit_codes.end(), exit_code) == options.exit_codes.end()) {
    return absl::UnknownError(absl::StrCat(absl::StrJoin(argv, " "), " ended with ", exit_code));
  }
  Measurement result;
  result.wall_seconds = static_cast<double>(Clock::Real().MonotonicNs() - start_ns) / 1e9;
  result.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  result.rss_bytes_max = static_cast<uint64_t>(usage.ru_maxrss) * kKiB;
  return result;
}

bool HaveProgram(absl::string_view program) {
  const char* const path = std::getenv("PATH");
  for (absl::string_view directory : absl::StrSplit(path != nullptr ? path : "", ':')) {
    if (access(JoinPath(directory, program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

absl::Status DropCaches() {
  sync();
  ASSIGN_OR_RETURN(const Fd fd, OpenFile("/proc/sys/vm/drop_caches", O_WRONLY));
  return WriteFull(fd.get(), "3\n");
}

std::string DescribeMachine() {
  utsname name;
  uname(&name);
  const std::string load = FirstLine("/proc/loadavg");
  return absl::StrCat(DefaultParallelism(), " CPUs, ", CpuModel(), ", kernel ", name.release, ", load ",
                      load.substr(0, load.find(' ')), ", guest_halt_poll_ns ",
                      FirstLine("/sys/module/haltpoll/parameters/guest_halt_poll_ns"));
}

}  // namespace base
