#include "fs/mount/testing/test_mount.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/mount/statistics.h"

namespace fs::testing {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(60);
constexpr absl::Duration kPollInterval = absl::Milliseconds(2);

std::string FileText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

int CodeOf(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

// Starts `words` with both outputs in the file `output` ("" = ours).
pid_t Spawn(const std::vector<std::string>& words, const std::string& output) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  if (!output.empty()) {
    const int fd = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
  }
  execvp(argv[0], argv.data());
  _exit(127);
}

}  // namespace

bool HaveFuse() { return access("/dev/fuse", R_OK | W_OK) == 0; }

std::string ProgramFromEnvironment(const char* variable) {
  const char* const path = getenv(variable);
  if (path == nullptr) return "";
  char resolved[PATH_MAX];
  return realpath(path, resolved) == nullptr ? path : resolved;
}

// Mounts of our own, seen by nobody else: a sandbox that another program starts while a mount
// stands would take a copy of it, and the daemon would live until that sandbox ends.
static void EnterOwnMountNamespace() {
  static const bool entered = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
                              mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  if (!entered && geteuid() == 0) ADD_FAILURE() << "no mount namespace: " << strerror(errno);
}

TestMount::TestMount() {
  EnterOwnMountNamespace();
  std::string name = "/tmp/cachefs_test_XXXXXX";
  directory_ = mkdtemp(name.data());
  // Other users of a test must get to the mount point.
  chmod(directory_.c_str(), 0755);
  mount_point_ = base::JoinPath(directory_, "mnt");
  store_ = base::JoinPath(directory_, "store.img");
  mkdir(mount_point_.c_str(), 0755);
}

TestMount::~TestMount() {
  if (pid_ > 0) Kill();
  // What a failed test left mounted, in another way than Start().
  umount2(mount_point_.c_str(), MNT_DETACH);
  const absl::Status removed = base::RemoveTree(directory_);
  EXPECT_TRUE(removed.ok()) << removed;
}

absl::Status TestMount::Start(const std::vector<std::string>& words) {
  const std::string program = ProgramFromEnvironment("CACHEFS");
  std::vector<std::string> command = {program, "-f", "--size", "512M"};
  command.insert(command.end(), words.begin(), words.end());
  command.push_back(store_);
  command.push_back(mount_point_);
  const std::string before = Output();
  pid_ = Spawn(command, base::JoinPath(directory_, "output"));
  const absl::Time deadline = absl::Now() + kStartTimeout;
  while (absl::Now() < deadline) {
    // The daemon says so when, and only when, the mount is usable.
    if (Output().find(" mounted on ", before.size()) != std::string::npos) return absl::OkStatus();
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return absl::UnavailableError(absl::StrCat("the daemon ended with ", CodeOf(status), ": ", Output()));
    }
    absl::SleepFor(kPollInterval);
  }
  return absl::DeadlineExceededError(absl::StrCat("not mounted: ", Output()));
}

absl::Status TestMount::Stop() {
  const bool root = geteuid() == 0;
  if (root ? umount2(mount_point_.c_str(), 0) != 0 : RunProgram({"fusermount3", "-u", mount_point_}) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("umount ", mount_point_));
  }
  const int code = WaitForExit();
  if (code != 0) return absl::InternalError(absl::StrCat("the daemon ended with ", code, ": ", Output()));
  return absl::OkStatus();
}

void TestMount::Kill() {
  kill(pid_, SIGKILL);
  WaitForExit();
  if (geteuid() == 0) {
    umount2(mount_point_.c_str(), MNT_DETACH);
  } else {
    RunProgram({"fusermount3", "-u", "-z", mount_point_});
  }
}

void TestMount::Signal(int signal) { kill(pid_, signal); }

int TestMount::WaitForExit() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return CodeOf(status);
}

std::string TestMount::Path(absl::string_view name) const { return absl::StrCat(mount_point_, "/", name); }

std::string TestMount::Output() const { return FileText(base::JoinPath(directory_, "output")); }

absl::StatusOr<std::map<std::string, uint64_t>> TestMount::RequestCounts() const {
  ASSIGN_OR_RETURN(const Statistics statistics, ReadRequestCounts(mount_point_));
  return std::map<std::string, uint64_t>(statistics.requests().begin(), statistics.requests().end());
}

int RunProgram(const std::vector<std::string>& words, std::string* output) {
  std::string file = "/tmp/cachefs_output_XXXXXX";
  const base::Fd fd(mkstemp(file.data()));
  const pid_t child = Spawn(words, file);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string text = FileText(file);
  unlink(file.c_str());
  if (output != nullptr) {
    *output = text;
  } else if (CodeOf(status) != 0) {
    fprintf(stderr, "%s", text.c_str());
  }
  return CodeOf(status);
}

int RunShell(const std::string& script, std::string* output) {
  return RunProgram({"/bin/bash", "-euo", "pipefail", "-c", script}, output);
}

int RunAs(uid_t uid, gid_t gid, const std::vector<gid_t>& groups, const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    if (setgroups(groups.size(), groups.data()) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
      _exit(126);
    }
    _exit(body());
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return CodeOf(status);
}

int ErrnoOf(long result) { return result == -1 ? errno : 0; }

std::string ReadAll(const std::string& path) {
  const absl::StatusOr<std::string> text = base::ReadFile(path, uint64_t{1} << 32);
  return text.ok() ? *text : "";
}

bool WriteAll(const std::string& path, absl::string_view text) {
  const absl::StatusOr<base::Fd> file = base::OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  return file.ok() && base::WriteFull(file->get(), text).ok();
}

}  // namespace fs::testing
