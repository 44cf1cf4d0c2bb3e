#include "fs/cache/testing/mem_engine.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/status_macros.h"

namespace fs {
namespace {

constexpr uint64_t kBlockBytes = 4096;
// What a row costs besides its bytes, so that many small ones fill a small engine.
constexpr uint64_t kRowOverheadBytes = 16;
// As an engine with pages of 16 KiB.
constexpr size_t kRowBytesMax = (16 << 10) / 4 - 64;

uint64_t RowBytes(absl::string_view key, absl::string_view value) {
  return key.size() + value.size() + kRowOverheadBytes;
}

}  // namespace

MemEngine::MemEngine(uint64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}
MemEngine::~MemEngine() = default;

std::unique_ptr<MemEngine> MemEngine::CutPower(Sequence kept) {
  base::MutexLock lock(&mutex_);
  auto next = std::make_unique<MemEngine>(capacity_bytes_);
  next->mount_epoch_ = mount_epoch_ + 1;
  base::MutexLock next_lock(&next->mutex_);
  next->state_ = durable_;
  next->last_sequence_ = durable_sequence_;
  for (const LogEntry& entry : log_) {
    if (entry.sequence > kept) break;
    ApplyTo(entry.mutation, &next->state_);
    next->last_sequence_ = entry.sequence;
  }
  next->durable_ = next->state_;
  next->durable_sequence_ = next->last_sequence_;
  return next;
}

Sequence MemEngine::durable_sequence() {
  base::MutexLock lock(&mutex_);
  return durable_sequence_;
}

void MemEngine::set_would_wait(bool would_wait) {
  base::MutexLock lock(&mutex_);
  would_wait_ = would_wait;
}

void MemEngine::set_cold(bool cold) {
  base::MutexLock lock(&mutex_);
  cold_ = cold;
}

void MemEngine::set_read_only(bool read_only) {
  base::MutexLock lock(&mutex_);
  read_only_ = read_only;
}

void MemEngine::FailNextApply(absl::Status status) {
  base::MutexLock lock(&mutex_);
  apply_failure_ = std::move(status);
}

void MemEngine::FailCommits(absl::Status status) {
  base::MutexLock lock(&mutex_);
  commit_failure_ = std::move(status);
}

void MemEngine::HoldCommits() {
  base::MutexLock lock(&mutex_);
  hold_commits_ = true;
}

void MemEngine::ReleaseCommits() {
  std::vector<std::pair<std::function<void(absl::Status)>, absl::Status>> answers;
  {
    base::MutexLock lock(&mutex_);
    hold_commits_ = false;
    for (auto& [sequence, done] : held_) answers.emplace_back(std::move(done), CommitLocked(sequence));
    held_.clear();
  }
  for (auto& [done, status] : answers) done(status);
}

uint64_t MemEngine::apply_count() {
  base::MutexLock lock(&mutex_);
  return apply_count_;
}

uint64_t MemEngine::commit_count() {
  base::MutexLock lock(&mutex_);
  return commit_count_;
}

absl::StatusOr<bool> MemEngine::Get(absl::string_view key, std::string* value) {
  base::ReaderMutexLock lock(&mutex_);
  const auto it = state_.rows.find(key);
  if (it == state_.rows.end()) return false;
  if (value != nullptr) *value = it->second;
  return true;
}

absl::Status MemEngine::Scan(absl::string_view first, absl::string_view last,
                             absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) {
  base::ReaderMutexLock lock(&mutex_);
  for (auto it = state_.rows.lower_bound(first); it != state_.rows.end() && it->first < last; ++it) {
    if (!visit(it->first, it->second)) break;
  }
  return absl::OkStatus();
}

uint64_t MemEngine::GrowthMax(const Mutation& mutation, const State& state) {
  uint64_t growth = 0;
  for (const Mutation::Row& row : mutation.rows()) {
    if (row.deleted) continue;
    const uint64_t bytes = RowBytes(row.key, row.value);
    const auto old = state.rows.find(row.key);
    const uint64_t old_bytes = old == state.rows.end() ? 0 : RowBytes(old->first, old->second);
    growth += bytes > old_bytes ? bytes - old_bytes : 0;
  }
  for (const Mutation::Data& data : mutation.data()) {
    if (data.kind != Mutation::Data::Kind::kWrite || data.length == 0) continue;
    const auto file = state.files.find(data.inode);
    for (uint64_t block = data.offset / kBlockBytes; block <= (data.offset + data.length - 1) / kBlockBytes; ++block) {
      if (file == state.files.end() || file->second.count(block) == 0) growth += kBlockBytes;
    }
  }
  return growth;
}

void MemEngine::ApplyData(const Mutation::Data& data, State* state) {
  Blocks& blocks = state->files[data.inode];
  if (data.kind == Mutation::Data::Kind::kWrite) {
    uint64_t offset = data.offset;
    absl::string_view rest = data.bytes;
    while (!rest.empty()) {
      const auto [it, is_new] = blocks.try_emplace(offset / kBlockBytes);
      if (is_new) {
        it->second.assign(kBlockBytes, '\0');
        state->used_bytes += kBlockBytes;
      }
      const size_t size = std::min<uint64_t>(rest.size(), kBlockBytes - offset % kBlockBytes);
      std::memcpy(it->second.data() + offset % kBlockBytes, rest.data(), size);
      rest.remove_prefix(size);
      offset += size;
    }
    return;
  }
  const uint64_t end = data.length > UINT64_MAX - data.offset ? UINT64_MAX : data.offset + data.length;
  for (auto it = blocks.lower_bound(data.offset / kBlockBytes); it != blocks.end();) {
    const uint64_t block_start = it->first * kBlockBytes;
    if (block_start >= end) break;
    const uint64_t from = std::max(data.offset, block_start) - block_start;
    const uint64_t to = std::min(end - block_start, kBlockBytes);
    if (from == 0 && to == kBlockBytes) {
      state->used_bytes -= kBlockBytes;
      it = blocks.erase(it);
      continue;
    }
    std::memset(it->second.data() + from, 0, to - from);
    ++it;
  }
  if (blocks.empty()) state->files.erase(data.inode);
}

void MemEngine::ApplyTo(const Mutation& mutation, State* state) {
  for (const Mutation::Row& row : mutation.rows()) {
    const auto it = state->rows.find(row.key);
    if (it != state->rows.end()) {
      state->used_bytes -= RowBytes(it->first, it->second);
      state->rows.erase(it);
    }
    if (row.deleted) continue;
    state->used_bytes += RowBytes(row.key, row.value);
    state->rows.emplace(row.key, row.value);
  }
  for (const Mutation::Data& data : mutation.data()) ApplyData(data, state);
}

absl::StatusOr<Sequence> MemEngine::Apply(const Mutation& mutation) {
  base::MutexLock lock(&mutex_);
  if (read_only_) return absl::FailedPreconditionError("engine is read-only");
  for (const Mutation::Row& row : mutation.rows()) {
    if (row.key.size() + row.value.size() > kRowBytesMax)
      return absl::InvalidArgumentError("row is too long for a page");
  }
  if (!apply_failure_.ok()) return std::exchange(apply_failure_, absl::OkStatus());
  const uint64_t limit = mutation.frees_space() || mutation.replaces_space() ? capacity_bytes_ : capacity_bytes_ - capacity_bytes_ / 20;
  if (const uint64_t growth = GrowthMax(mutation, state_); growth > 0 && state_.used_bytes + growth > limit) {
    return absl::ResourceExhaustedError("no space left on the device");
  }
  LogEntry entry;
  entry.sequence = ++last_sequence_;
  for (const Mutation::Data& data : mutation.data()) entry.bytes.emplace_back(data.bytes);
  for (const Mutation::Row& row : mutation.rows()) {
    if (row.deleted) {
      entry.mutation.Delete(row.key);
    } else {
      entry.mutation.Put(row.key, row.value);
    }
  }
  for (size_t i = 0; i < mutation.data().size(); ++i) {
    const Mutation::Data& data = mutation.data()[i];
    switch (data.kind) {
      case Mutation::Data::Kind::kWrite:
        entry.mutation.Write(data.inode, data.offset, entry.bytes[i], data.placement);
        break;
      case Mutation::Data::Kind::kPunch:
        entry.mutation.Punch(data.inode, data.offset, data.length);
        break;
      case Mutation::Data::Kind::kDrop:
        entry.mutation.Drop(data.inode);
        break;
    }
  }
  ApplyTo(entry.mutation, &state_);
  log_.push_back(std::move(entry));
  ++apply_count_;
  return last_sequence_;
}

bool MemEngine::WouldWait(InodeNumber, uint64_t, uint64_t) {
  base::ReaderMutexLock lock(&mutex_);
  return would_wait_;
}

absl::Status MemEngine::CommitLocked(Sequence sequence) {
  ++commit_count_;
  if (sequence <= durable_sequence_) return absl::OkStatus();
  if (!commit_failure_.ok()) return commit_failure_;
  size_t taken = 0;
  while (taken < log_.size() && log_[taken].sequence <= sequence) {
    ApplyTo(log_[taken].mutation, &durable_);
    durable_sequence_ = log_[taken].sequence;
    ++taken;
  }
  log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(taken));
  return absl::OkStatus();
}

absl::Status MemEngine::Commit(Sequence sequence, Priority) {
  base::MutexLock lock(&mutex_);
  return CommitLocked(sequence);
}

void MemEngine::CommitAsync(Sequence sequence, Priority, std::function<void(absl::Status)> done) {
  absl::Status status;
  {
    base::MutexLock lock(&mutex_);
    if (hold_commits_) {
      held_.emplace_back(sequence, std::move(done));
      return;
    }
    status = CommitLocked(sequence);
  }
  done(status);
}

Sequence MemEngine::last_sequence() {
  base::ReaderMutexLock lock(&mutex_);
  return last_sequence_;
}

void MemEngine::ReadLocked(const DataRead& read) const {
  std::memset(read.out.data(), 0, read.out.size());
  const auto file = state_.files.find(read.inode);
  if (file == state_.files.end() || read.out.empty()) return;
  const uint64_t end = read.offset + read.out.size();
  for (auto it = file->second.lower_bound(read.offset / kBlockBytes); it != file->second.end(); ++it) {
    const uint64_t block_start = it->first * kBlockBytes;
    if (block_start >= end) break;
    const uint64_t from = std::max(read.offset, block_start);
    const uint64_t to = std::min(end, block_start + kBlockBytes);
    std::memcpy(read.out.data() + (from - read.offset), it->second.data() + (from - block_start), to - from);
  }
}

absl::Status MemEngine::ReadData(const DataRead& read) {
  base::ReaderMutexLock lock(&mutex_);
  ReadLocked(read);
  return absl::OkStatus();
}

bool MemEngine::TryReadData(const DataRead& read) {
  base::ReaderMutexLock lock(&mutex_);
  if (cold_) return false;
  ReadLocked(read);
  return true;
}

void MemEngine::ReadDataBatch(absl::Span<const DataRead> reads,
                              absl::FunctionRef<void(size_t index, absl::Status)> done) {
  {
    base::ReaderMutexLock lock(&mutex_);
    for (const DataRead& read : reads) ReadLocked(read);
  }
  for (size_t i = 0; i < reads.size(); ++i) done(i, absl::OkStatus());
}

absl::StatusOr<uint64_t> MemEngine::Seek(InodeNumber inode, uint64_t offset, bool hole) {
  base::ReaderMutexLock lock(&mutex_);
  const auto file = state_.files.find(inode);
  uint64_t block = offset / kBlockBytes;
  auto it = file == state_.files.end() ? Blocks::const_iterator() : file->second.lower_bound(block);
  if (file == state_.files.end() || it == file->second.end()) {
    if (hole) return offset;
    return absl::NotFoundError("no data at or after the offset");
  }
  if (!hole) return std::max(offset, it->first * kBlockBytes);
  while (it != file->second.end() && it->first == block) {
    ++it;
    ++block;
  }
  return std::max(offset, block * kBlockBytes);
}

uint64_t MemEngine::AllocatedBytes(InodeNumber inode) {
  base::ReaderMutexLock lock(&mutex_);
  const auto file = state_.files.find(inode);
  return file == state_.files.end() ? 0 : file->second.size() * kBlockBytes;
}

SpaceUsage MemEngine::space() {
  base::ReaderMutexLock lock(&mutex_);
  SpaceUsage usage;
  usage.total_bytes = capacity_bytes_;
  usage.free_bytes = capacity_bytes_ - std::min(capacity_bytes_, state_.used_bytes);
  const uint64_t reserve = capacity_bytes_ / 20;
  usage.available_bytes = usage.free_bytes - std::min(usage.free_bytes, reserve);
  return usage;
}

bool MemEngine::read_only() const {
  base::ReaderMutexLock lock(&mutex_);
  return read_only_;
}

absl::Status MemEngine::Close() {
  base::MutexLock lock(&mutex_);
  return CommitLocked(last_sequence_);
}

}  // namespace fs
