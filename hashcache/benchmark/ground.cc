#include "hashcache/benchmark/ground.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "hashcache/benchmark/corpus.h"

namespace hashcache {
namespace {

absl::Status Enter(const std::string& directory) {
  return chdir(directory.c_str()) == 0 ? absl::OkStatus() : base::ErrnoStatus(errno, directory);
}

// Private memory of `pid` now; 0 once it has ended.
uint64_t PrivateBytes(pid_t pid) {
  const absl::StatusOr<std::string> status = base::ReadFile(absl::StrCat("/proc/", pid, "/status"), 1 << 16);
  constexpr absl::string_view kKey = "RssAnon:";
  const size_t at = status.ok() ? status->find(kKey.data()) : std::string::npos;
  uint64_t kib = 0;
  if (at == std::string::npos) return 0;
  return std::sscanf(status->c_str() + at + kKey.size(), "%lu", &kib) == 1 ? kib << 10 : 0;
}

double Seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); }

}  // namespace

Ground::Ground(const Plan& plan)
    : plan_(plan), scratch_(absl::StrCat(plan.parent, "/hashcache-bench-", getpid())) {}

Ground::~Ground() {
  if (chdir("/") != 0) return;
  mount_ = nullptr;
  base::RemoveTree(scratch_).IgnoreError();  // of no use to anybody
}

std::string Ground::Path(absl::string_view name) const { return absl::StrCat(scratch_, "/", name); }

absl::Status Ground::Start() {
  RETURN_IF_ERROR(base::MakeDirectories(scratch_));
  directory_ = Path("trees");
  if (plan_.on_cachefs) {
    const uint64_t files = plan_.files * 8192 + (uint64_t{plan_.medium} << 20) + plan_.large_bytes;
    mount_ = fs::MakePeer("cachefs", scratch_, files + files / 4 + (uint64_t{1} << 30));
    RETURN_IF_ERROR(mount_->Start());
    directory_ = mount_->root() + "/trees";
  }
  RETURN_IF_ERROR(base::MakeDirectories(directory_));
  return Enter(directory_);
}

absl::Status Ground::Make(const std::string& name, size_t count) {
  absl::string_view size_text = name;
  if (absl::ConsumePrefix(&size_text, "hits")) {
    size_t size = 0;
    if (!absl::SimpleAtoi(size_text, &size)) return absl::InvalidArgumentError(name);
    return MakeTree(name, count, size);
  }
  if (name == "small") return MakeTree(name, plan_.files, 4096);
  if (name == "medium") return MakeTree(name, plan_.medium, plan_.quick ? 65536 : 1 << 20);
  if (name == "many") return MakeTree(name, plan_.many, 16);
  if (name == "large") return MakeFile(name, plan_.large_bytes);
  return absl::InvalidArgumentError(name);
}

absl::Status Ground::Need(const std::string& name, size_t count) {
  if (!made_.insert(name).second) return absl::OkStatus();
  std::fprintf(stderr, "making %s in %s\n", name.c_str(), directory_.c_str());
  RETURN_IF_ERROR(Make(name, count));
  if (name == "large") return base::ReplaceFile(Path("large.list"), "large\n", {});
  RETURN_IF_ERROR(ListFiles(name, Path(name + ".list")));
  return mount_ != nullptr ? fs::MakeDurable(mount_->root()) : absl::OkStatus();
}

absl::Status Ground::MakeCold() {
  RETURN_IF_ERROR(base::RemoveTree(Path("cache")));
  if (mount_ == nullptr) return base::DropCaches();
  RETURN_IF_ERROR(Enter("/"));
  RETURN_IF_ERROR(mount_->Remount());
  return Enter(directory_);
}

absl::StatusOr<base::Measurement> MeasurePrivateMemory(const std::vector<std::string>& argv) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const int64_t start_ns = base::Clock::Real().MonotonicNs();
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return base::ErrnoStatus(error, argv[0]);
  base::Measurement measurement;
  int status = 0;
  rusage usage = {};
  while (wait4(pid, &status, WNOHANG, &usage) == 0) {
    measurement.rss_bytes_max = std::max(measurement.rss_bytes_max, PrivateBytes(pid));
    usleep(2000);
  }
  measurement.wall_seconds = 1e-9 * static_cast<double>(base::Clock::Real().MonotonicNs() - start_ns);
  measurement.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return absl::InternalError(absl::StrCat(argv[0], " ended with status ", status));
  }
  return measurement;
}

}  // namespace hashcache
