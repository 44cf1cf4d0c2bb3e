// A Run is what every command of hashcache has in common: its flags, the Hasher, buffered output,
// messages, progress and the exit code.
//
// Codes:   0 ok, 1 differences, 2 files unreadable or unstable, 3 usage, 4 cache integrity, 5
//          internal, 128 + the signal when interrupted; the largest wins.
// Life:    Create(), the command's work, Finish().
// Threads: single thread (main).
#ifndef HASHCACHE_COMMAND_RUN_H_
#define HASHCACHE_COMMAND_RUN_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/command_line.h"
#include "base/os/progress.h"
#include "hashcache/hasher.h"

namespace hashcache {

enum ExitCode { kOk = 0, kDifferences = 1, kUnreadable = 2, kUsage = 3, kCacheFault = 4, kInternal = 5 };

// The flags of Run, for the commands' tables.
std::vector<base::Flag> HasherFlags();
std::vector<base::Flag> TreeFlags();
std::vector<base::Flag> Join(std::vector<base::Flag> a, const std::vector<base::Flag>& b);

class Run {
 public:
  // `tree`: the command has TreeFlags() too. Errors: InvalidArgument  usage
  static absl::StatusOr<std::unique_ptr<Run>> Create(const base::Arguments& arguments, bool tree);

  const base::Arguments& arguments() const { return arguments_; }
  Hasher& hasher() { return *hasher_; }
  // In the order given; BLAKE3 if none was.
  const std::vector<Algorithm>& order() const { return order_; }
  AlgorithmSet algorithms() const { return algorithms_; }
  bool algorithms_given() const { return arguments_.Has("algorithm"); }
  void UseAlgorithms(const std::vector<Algorithm>& order);
  TreeOptions tree_options() const;
  std::string cache_directory() const { return cache_directory_; }

  void Print(absl::string_view text);
  // "hashcache: path: message" on stderr.
  void Problem(absl::string_view path, const absl::Status& status);
  void Warn(absl::string_view message);
  // "hashcache: 3 ok, 1 changed" on stderr, after all output so far.
  void Summary(const std::vector<std::string>& parts);
  void Code(int code) { code_ = code_ > code ? code_ : code; }
  int code() const { return code_; }
  // Counts a result for the progress line; true if it has digests to use, else says
  // why not.
  bool Count(absl::string_view path, const FileResult& result);
  // What is to be hashed in all, for the percentage and the time left.
  void ExpectBytes(uint64_t total) {
    if (progress_ != nullptr) progress_->SetTotal(total);
  }
  static bool Interrupted();
  int Finish();

 private:
  explicit Run(const base::Arguments& arguments) : arguments_(arguments) {}
  void FlushOutput();

  const base::Arguments& arguments_;
  std::vector<Algorithm> order_;
  AlgorithmSet algorithms_;
  std::string cache_directory_;
  std::unique_ptr<Hasher> hasher_;
  std::unique_ptr<base::Progress> progress_;
  std::string output_;
  bool output_failed_ = false;
  int code_ = kOk;
};

// Runs `work` with a Run made from the arguments; usage errors are reported here.
int WithRun(const base::Arguments& arguments, bool tree, absl::FunctionRef<absl::Status(Run&)> work);

// "1 file", "2 files".
std::string Counted(uint64_t count, absl::string_view noun);

// "dir" + "a/b" as `find dir` prints it.
std::string PathBelow(absl::string_view root, absl::string_view path);

}  // namespace hashcache

#endif  // HASHCACHE_COMMAND_RUN_H_
