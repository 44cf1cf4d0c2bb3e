#include "ssg/build/output_writer.h"

#include "base/status.h"

namespace ssg {
namespace {

constexpr size_t kBatchFilesMax = 256;
constexpr size_t kBatchBytesMax = 4 << 20;

}  // namespace

void OutputWriter::Batch::Add(std::string path, std::string text) {
  bytes_ += text.size();
  files_.emplace_back(std::move(path), std::move(text));
  if (files_.size() >= kBatchFilesMax || bytes_ >= kBatchBytesMax) writer_.Store(*this);
}

void OutputWriter::Store(Batch& batch) {
  if (batch.files_.empty()) return;
  std::vector<fs::StoreItem> items(batch.files_.size());
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].path = batch.files_[i].first;
    items[i].data = batch.files_[i].second;
    items[i].keep_if_equal = true;
  }
  uint64_t written = 0;
  absl::Status failure;
  const absl::Status session = client_.Store(items, {}, [&](size_t index, absl::StatusOr<bool> result) {
    if (!result.ok()) {
      if (failure.ok()) failure = base::Annotate(result.status(), items[index].path);
    } else if (*result) {
      ++written;
    }
    return true;
  });
  batch.files_.clear();
  batch.bytes_ = 0;
  base::MutexLock lock(&mutex_);
  written_ += written;
  if (status_.ok()) status_ = session.ok() ? failure : session;
}

absl::Status OutputWriter::status() const {
  base::MutexLock lock(&mutex_);
  return status_;
}

uint64_t OutputWriter::written_count() const {
  base::MutexLock lock(&mutex_);
  return written_;
}

}  // namespace ssg
