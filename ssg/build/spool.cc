#include "ssg/build/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace ssg {

size_t Spool::Add(std::string path, std::string text) {
  base::MutexLock lock(&mutex_);
  File file;
  file.path = std::move(path);
  file.size = text.size();
  if (memory_bytes_ + text.size() <= kMemoryBytesMax) {
    memory_bytes_ += text.size();
    file.text = std::move(text);
  } else {
    if (!file_.valid() && status_.ok()) {
      file_ = base::Fd(open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
      if (!file_.valid()) status_ = base::ErrnoStatus(errno, absl::StrCat("temporary file in ", directory_));
    }
    file.on_disk = true;
    file.offset = disk_bytes_;
    if (status_.ok()) status_ = base::WriteFull(file_.get(), text);
    disk_bytes_ += text.size();
  }
  files_.push_back(std::move(file));
  return files_.size() - 1;
}

size_t Spool::size() const {
  base::MutexLock lock(&mutex_);
  return files_.size();
}

absl::StatusOr<Spool::File> Spool::Take(size_t index) {
  File file;
  int fd = -1;
  {
    base::MutexLock lock(&mutex_);
    file = std::move(files_[index]);
    fd = file_.get();
  }
  if (!file.on_disk) return file;
  file.text.resize(file.size);
  for (size_t done = 0; done < file.size;) {
    const ssize_t got = pread(fd, file.text.data() + done, file.size - done, static_cast<off_t>(file.offset + done));
    if (got <= 0) return base::ErrnoStatus(got < 0 ? errno : EIO, "read back a spooled file");
    done += static_cast<size_t>(got);
  }
  return file;
}

absl::Status Spool::status() const {
  base::MutexLock lock(&mutex_);
  return status_;
}

}  // namespace ssg
