#include "fs/cache/write_buffer.h"

#include <glog/logging.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/mutex.h"
#include "base/units.h"
#include "fs/format/extent_row.h"

namespace fs {
namespace {

// From here on a blob is worth aligning, so that the device can read it in place.
constexpr size_t kAlignedBlobBytes = 16 << 10;

// Where the units of a run end, which is past its bytes if the last one is short.
uint64_t UnitsEnd(uint64_t offset, const WriteBuffer::Run& run) { return offset + base::RoundUp(run.length, kBlockBytes); }

// Blobs of the largest size are kept for the next writer: fresh memory costs more than
// the copy that goes into it.
class LargeBlobs {
 public:
  static LargeBlobs& Get() {
    static auto* const pool = new LargeBlobs;
    return *pool;
  }
  uint8_t* Take() {
    base::MutexLock lock(&mutex_);
    if (free_.empty()) return nullptr;
    uint8_t* const data = free_.back();
    free_.pop_back();
    return data;
  }
  bool Give(uint8_t* data) {
    base::MutexLock lock(&mutex_);
    if (free_.size() >= 16) return false;
    free_.push_back(data);
    return true;
  }

 private:
  base::Mutex mutex_;
  std::vector<uint8_t*> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<Blob> Blob::Make(size_t capacity) {
  const bool aligned = capacity >= kAlignedBlobBytes;
  capacity = base::RoundUp(std::max<size_t>(capacity, 64), aligned ? kBlockBytes : 64);
  void* data = capacity == WriteBuffer::kRunBytesMax ? LargeBlobs::Get().Take() : nullptr;
  if (data == nullptr) data = aligned ? std::aligned_alloc(kBlockBytes, capacity) : std::malloc(capacity);
  CHECK(data != nullptr) << "out of memory";
  return std::shared_ptr<Blob>(new Blob(static_cast<uint8_t*>(data), capacity, aligned));
}

Blob::~Blob() {
  if (capacity_ != WriteBuffer::kRunBytesMax || !LargeBlobs::Get().Give(data_)) std::free(data_);
}

void WriteBuffer::Count(InodeNumber inode, File& file, const Run& run, int sign) {
  const auto state = static_cast<size_t>(run.state);
  bytes_[state] += sign * int64_t{run.length};
  if (run.early == nullptr) blocks_[state] += sign * int64_t{UnitCount(run.length)};
  run_count_ += sign;
  if (run.state == State::kSealed) return;
  file.dirty_runs += run.state == State::kDirty ? sign : 0;
  if (sign > 0) {
    (run.state == State::kDirty ? dirty_inodes_ : logged_inodes_).insert(inode);
  }
}

const WriteBuffer::File* WriteBuffer::Find(InodeNumber inode) const {
  const auto it = files_.find(inode);
  return it == files_.end() ? nullptr : it->second.get();
}

WriteBuffer::File* WriteBuffer::Find(InodeNumber inode) {
  const auto it = files_.find(inode);
  return it == files_.end() ? nullptr : it->second.get();
}

bool WriteBuffer::WriteInPlace(InodeNumber inode, uint64_t offset, absl::Span<const uint8_t> bytes,
                               absl::FunctionRef<bool(uint64_t unit_offset)> fresh) {
  File* file = Find(inode);
  if (file == nullptr || bytes.empty()) return false;
  auto it = file->runs.upper_bound(offset);
  if (it == file->runs.begin()) return false;
  --it;
  const uint64_t start = it->first;
  Run& run = it->second;
  if (run.state != State::kDirty || run.fixed || run.early != nullptr) return false;
  const uint64_t end = offset + bytes.size();
  const uint64_t limit = std::next(it) == file->runs.end() ? UINT64_MAX : std::next(it)->first;
  // Only bytes that the run has, or that follow its last unit without a gap.
  if (offset > UnitsEnd(start, run) || end > limit || end - start > kRunBytesMax) return false;
  if (end > start + run.length) {
    // It grows. A new last unit that stays short must not hide older bytes behind it.
    if (end > UnitsEnd(start, run) && end % kBlockBytes != 0 && !fresh(base::RoundDown(end, kBlockBytes))) return false;
    const uint64_t needed = run.blob_offset + (end - start);
    if (run.blob.use_count() > 1) return false;
    Count(inode, *file, run, -1);
    if (needed > run.blob->capacity()) {
      auto larger = Blob::Make(std::min<uint64_t>(std::max<uint64_t>(needed, 2 * run.blob->capacity()), run.blob_offset + kRunBytesMax));
      std::memcpy(larger->data(), run.blob->data(), run.blob_offset + run.length);
      run.blob = std::move(larger);
    }
    uint8_t* data = run.blob->data() + run.blob_offset;
    if (offset > start + run.length) std::memset(data + run.length, 0, offset - start - run.length);
    std::memcpy(data + (offset - start), bytes.data(), bytes.size());
    run.length = static_cast<uint32_t>(end - start);
    Count(inode, *file, run, +1);
    return true;
  }
  std::memcpy(run.blob->data() + run.blob_offset + (offset - start), bytes.data(), bytes.size());
  return true;
}

void WriteBuffer::Add(InodeNumber inode, uint64_t offset, uint32_t length, std::shared_ptr<Blob> blob,
                      uint32_t blob_offset, const Placement& placement, uint64_t now_ns) {
  DCHECK_EQ(offset % kBlockBytes, 0u);
  std::unique_ptr<File>& file = files_[inode];
  if (file == nullptr) file = std::make_unique<File>();
  file->placement = placement;
  if (file->dirty_runs == 0) file->oldest_ns = now_ns;
  Run run;
  run.length = length;
  run.blob = std::move(blob);
  run.blob_offset = blob_offset;
  Count(inode, *file, run, +1);
  CHECK(file->runs.emplace(offset, std::move(run)).second);
}

void WriteBuffer::AddLogged(InodeNumber inode, uint64_t offset, uint32_t length, std::shared_ptr<Blob> blob,
                            const Placement& placement) {
  Add(inode, offset, length, std::move(blob), 0, placement, 0);
  Run& run = Find(inode)->runs.at(offset);
  SetState(inode, run, State::kLogged);
  run.is_inline = true;
}

void WriteBuffer::Carve(InodeNumber inode, uint64_t begin, uint64_t end,
                        absl::FunctionRef<void(uint64_t offset, const Run& part)> lost) {
  File* file = Find(inode);
  if (file == nullptr) return;
  auto it = file->runs.upper_bound(begin);
  if (it != file->runs.begin() && UnitsEnd(std::prev(it)->first, std::prev(it)->second) > begin) --it;
  while (it != file->runs.end() && it->first < end) {
    const uint64_t start = it->first;
    Run run = it->second;
    Count(inode, *file, run, -1);
    it = file->runs.erase(it);
    const auto part = [&](uint64_t from, uint64_t to) {
      Run piece = run;
      piece.length = static_cast<uint32_t>(std::min<uint64_t>(to, start + run.length) - from);
      piece.blob_offset += static_cast<uint32_t>(from - start);
      piece.early_offset += static_cast<uint32_t>(from - start);
      return piece;
    };
    const uint64_t cut_begin = std::max(begin, start), cut_end = std::min(end, UnitsEnd(start, run));
    lost(cut_begin, part(cut_begin, cut_end));
    if (start < begin) {
      Run left = part(start, begin);
      Count(inode, *file, left, +1);
      file->runs.emplace(start, std::move(left));
    }
    if (UnitsEnd(start, run) > end) {
      Run right = part(end, UnitsEnd(start, run));
      Count(inode, *file, right, +1);
      it = std::next(file->runs.emplace(end, std::move(right)).first);
    }
  }
  Forget(inode);
}

void WriteBuffer::Visit(InodeNumber inode, uint64_t begin, uint64_t end,
                        absl::FunctionRef<void(uint64_t offset, const Run& run)> visit) const {
  const File* file = Find(inode);
  if (file == nullptr) return;
  auto it = file->runs.upper_bound(begin);
  if (it != file->runs.begin() && UnitsEnd(std::prev(it)->first, std::prev(it)->second) > begin) --it;
  for (; it != file->runs.end() && it->first < end; ++it) visit(it->first, it->second);
}

bool WriteBuffer::Covers(InodeNumber inode, uint64_t begin, uint64_t end) const {
  uint64_t covered = begin;
  Visit(inode, begin, end, [&](uint64_t offset, const Run& run) {
    if (offset <= covered) covered = std::max(covered, UnitsEnd(offset, run));
  });
  return covered >= end;
}

void WriteBuffer::SetEarly(Run& run, std::shared_ptr<EarlyWrite> early) {
  uint64_t& blocks = blocks_[static_cast<size_t>(run.state)];
  if (run.early == nullptr) blocks -= UnitCount(run.length);
  run.early = std::move(early);
  run.early_offset = 0;
  if (run.early == nullptr) blocks += UnitCount(run.length);
}

void WriteBuffer::SetState(InodeNumber inode, Run& run, State state) {
  File* file = Find(inode);
  Count(inode, *file, run, -1);
  run.state = state;
  Count(inode, *file, run, +1);
  if (file->dirty_runs == 0) dirty_inodes_.erase(inode);
}

void WriteBuffer::Remove(InodeNumber inode, uint64_t offset) {
  File* file = Find(inode);
  const auto it = file->runs.find(offset);
  Count(inode, *file, it->second, -1);
  file->runs.erase(it);
  Forget(inode);
}

void WriteBuffer::Forget(InodeNumber inode) {
  File* file = Find(inode);
  if (file == nullptr) return;
  if (file->dirty_runs == 0) dirty_inodes_.erase(inode);
  if (!file->runs.empty()) return;
  logged_inodes_.erase(inode);
  files_.erase(inode);
}

}  // namespace fs
