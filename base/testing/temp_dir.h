// A TempDir is an empty directory of a test's own, removed when it goes.
//
// Threads: thread-compatible.
#ifndef BASE_TESTING_TEMP_DIR_H_
#define BASE_TESTING_TEMP_DIR_H_

#include <string>
#include <vector>

namespace base {

class TempDir {
 public:
  TempDir();  // below TEST_TMPDIR or TMPDIR
  explicit TempDir(const std::string& parent);
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  // Names directly inside, sorted.
  std::vector<std::string> List() const;

 private:
  std::string path_;
};

}  // namespace base

#endif  // BASE_TESTING_TEMP_DIR_H_
