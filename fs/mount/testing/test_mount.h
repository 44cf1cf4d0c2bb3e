// A TestMount is a daemon of our own in the foreground, on a store and a mount point in
// a directory of its own.
//
// Shape:   the program is named by the environment variable CACHEFS (set in BUILD).
//          Without /dev/fuse there is nothing to test: see SKIP_WITHOUT_FUSE(). Where it
//          exists a mount that fails is a failure.
// Life:    Start() -> Stop() or Kill() -> Start() again on the same store -> destructor,
//          which unmounts and removes everything.
// Threads: thread-compatible.
#ifndef FS_MOUNT_TESTING_TEST_MOUNT_H_
#define FS_MOUNT_TESTING_TEST_MOUNT_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace fs::testing {

bool HaveFuse();

// In a test or SetUp(): skips, saying so, on machines that cannot mount at all.
#define SKIP_WITHOUT_FUSE() \
  if (!::fs::testing::HaveFuse()) GTEST_SKIP() << "no /dev/fuse on this machine"
#define SKIP_UNLESS_ROOT() \
  if (geteuid() != 0) GTEST_SKIP() << "needs root"

class TestMount {
 public:
  TestMount();
  ~TestMount();
  TestMount(const TestMount&) = delete;
  TestMount& operator=(const TestMount&) = delete;

  // Mounts with further command line words, e.g. {"-o", "private"}; waits until usable.
  absl::Status Start(const std::vector<std::string>& words = {});
  // umount; the daemon has ended with code 0, everything is durable.
  absl::Status Stop();
  // kill -9, and the dead mount is taken away.
  void Kill();
  void Signal(int signal);
  // The daemon's exit code; 128 + signal.
  int WaitForExit();

  const std::string& directory() const { return directory_; }  // of this mount's files
  const std::string& mount_point() const { return mount_point_; }
  const std::string& store() const { return store_; }
  // Before Start(): a store that is not ours to make or remove.
  void set_store(std::string store) { store_ = std::move(store); }
  pid_t pid() const { return pid_; }
  // A path on the mount.
  std::string Path(absl::string_view name) const;
  // What the daemon wrote to stdout and stderr so far.
  std::string Output() const;

  // Requests that the kernel has sent, by the name of the opcode.
  absl::StatusOr<std::map<std::string, uint64_t>> RequestCounts() const;

 private:
  std::string directory_;
  std::string mount_point_;
  std::string store_;
  pid_t pid_ = -1;
};

// The program under test, and others named by `variable`.
std::string ProgramFromEnvironment(const char* variable);

// Runs a program to its end; its exit code, 128 + signal. Output to `*output` if given.
int RunProgram(const std::vector<std::string>& words, std::string* output = nullptr);
// "sh -c". A test's way to say what a user would type.
int RunShell(const std::string& script, std::string* output = nullptr);

// Runs `body` in a child process as another user; its exit code. `body` reports by its
// result, 0 = well, since gtest's own failures are lost there.
int RunAs(uid_t uid, gid_t gid, const std::vector<gid_t>& groups, const std::function<int()>& body);

// 0, or the errno of a system call that returned -1.
int ErrnoOf(long result);

// Whole files, by plain system calls; "" and false on any error.
std::string ReadAll(const std::string& path);
bool WriteAll(const std::string& path, absl::string_view text);

}  // namespace fs::testing

#endif  // FS_MOUNT_TESTING_TEST_MOUNT_H_
