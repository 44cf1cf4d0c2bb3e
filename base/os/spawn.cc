#include "base/os/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace base {
namespace {

constexpr size_t kErrorBytesMax = 4096;

absl::StatusOr<Fd> MemoryFile(const char* name) {
  Fd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, name);
  return fd;
}

// Kills the child, unless it was waited for.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    Wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int Wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

absl::Status ReadOutput(int fd, const SpawnOptions& options, std::string* output) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(options.timeout_ms_max);
  char buffer[65536];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd ready = {fd, POLLIN, 0};
    const int count = left <= 0 ? 0 : poll(&ready, 1, static_cast<int>(std::min<int64_t>(left, 1'000'000)));
    if (count == 0) {
      return absl::DeadlineExceededError(
          absl::StrCat(options.words[0], ": took more than ", options.timeout_ms_max, " ms"));
    }
    const ssize_t size = count < 0 ? -1 : read(fd, buffer, sizeof(buffer));
    if (size == 0) return absl::OkStatus();
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return ErrnoStatus(errno, options.words[0]);
    if (output->size() + static_cast<size_t>(size) > options.output_bytes_max) {
      return absl::ResourceExhaustedError(
          absl::StrCat(options.words[0], ": wrote more than ", options.output_bytes_max, " bytes"));
    }
    output->append(buffer, static_cast<size_t>(size));
  }
}

}  // namespace

absl::StatusOr<SpawnResult> Spawn(const SpawnOptions& options) {
  ASSIGN_OR_RETURN(const Fd input, MemoryFile("input"));
  ASSIGN_OR_RETURN(const Fd errors, MemoryFile("errors"));
  RETURN_IF_ERROR(PWriteFull(input.get(), options.input, 0));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  const Fd output(ends[0]);
  Fd child_output(ends[1]);
  std::vector<std::string> words = options.words;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, child_output.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, errors.get(), 2);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoStatus(error, options.words[0]);
  Child child(pid);
  child_output.Reset();
  SpawnResult result;
  RETURN_IF_ERROR(ReadOutput(output.get(), options, &result.output));
  result.exit_code = child.Wait();
  result.errors.resize(kErrorBytesMax);
  ASSIGN_OR_RETURN(const size_t size,
                   PReadFull(errors.get(), absl::MakeSpan(result.errors.data(), result.errors.size()), 0));
  result.errors.resize(size);
  return result;
}

}  // namespace base
