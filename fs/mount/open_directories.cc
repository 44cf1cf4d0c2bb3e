#include "fs/mount/open_directories.h"

#include "glog/logging.h"

namespace fs {

Listing OpenDirectories::Open(InodeNumber directory) {
  base::MutexLock lock(&mutex_);
  State& state = states_[directory];
  const bool alone = state.open_count++ == 0;
  if (!state.is_old) return Listing::kKeep;
  if (!alone) return Listing::kNone;
  state.is_old = false;
  return Listing::kRenew;
}

void OpenDirectories::Close(InodeNumber directory) {
  base::MutexLock lock(&mutex_);
  const auto it = states_.find(directory);
  CHECK(it != states_.end() && it->second.open_count > 0) << "directory " << directory << " is not open";
  if (--it->second.open_count == 0 && !it->second.is_old) states_.erase(it);
}

void OpenDirectories::Changed(InodeNumber directory) {
  base::MutexLock lock(&mutex_);
  const auto it = states_.find(directory);
  if (it != states_.end()) it->second.is_old = true;
}

size_t OpenDirectories::size() const {
  base::MutexLock lock(&mutex_);
  return states_.size();
}

}  // namespace fs
