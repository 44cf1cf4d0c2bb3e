#include "base/testing/temp_dir.h"

#include <dirent.h>
#include <stdlib.h>

#include <algorithm>

#include "absl/status/status.h"
#include "base/os/file.h"
#include "glog/logging.h"

namespace base {
namespace {

std::string DefaultParent() {
  for (const char* variable : {"TEST_TMPDIR", "TMPDIR"}) {
    const char* const value = getenv(variable);
    if (value != nullptr && *value != '\0') return value;
  }
  return P_tmpdir;
}

}  // namespace

TempDir::TempDir() : TempDir(DefaultParent()) {}

TempDir::TempDir(const std::string& parent) : path_(JoinPath(parent, "cachefs-test-XXXXXX")) {
  PCHECK(mkdtemp(path_.data()) != nullptr) << path_;
}

TempDir::~TempDir() {
  const absl::Status status = RemoveTree(path_);
  LOG_IF(WARNING, !status.ok()) << "temporary directory stays: " << status;
}

std::vector<std::string> TempDir::List() const {
  std::vector<std::string> names;
  DIR* const stream = opendir(path_.c_str());
  PCHECK(stream != nullptr) << path_;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace base
