// The part of EngineImpl that reads.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/engine_impl.h"
#include "fs/format/crc32c.h"

namespace fs {
namespace {

constexpr uint64_t kReadBytesMax = 1 << 20;
// Longer reads are not kept: who asks for so much keeps it himself.
constexpr uint64_t kCachedReadMax = 256 << 10;
constexpr uint64_t kPooledMin = 96 << 10;

}  // namespace

absl::StatusOr<bool> EngineImpl::Get(absl::string_view key, std::string* value) {
  base::ReaderMutexLock lock(&mutex_);
  absl::string_view found;
  if (!tree_.Get(key, &found)) return false;
  if (value != nullptr) value->assign(found.data(), found.size());
  return true;
}

absl::Status EngineImpl::Scan(absl::string_view first, absl::string_view last,
                              absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) {
  base::ReaderMutexLock lock(&mutex_);
  tree_.Scan(first, last, visit);
  return absl::OkStatus();
}

// While a reader is in, nothing that was freed since then is used again.
uint64_t EngineImpl::EnterReader() {
  const uint64_t era = FreeTag();
  base::MutexLock lock(&readers_mutex_);
  ++readers_[era];
  return era;
}

void EngineImpl::LeaveReader(uint64_t era) {
  base::MutexLock lock(&readers_mutex_);
  if (--readers_[era] == 0) readers_.erase(era);
}

uint64_t EngineImpl::OldestReader() {
  base::MutexLock lock(&readers_mutex_);
  return readers_.empty() ? UINT64_MAX : readers_.begin()->first;
}

// Bytes of [begin, end) that the buffer does not have: from inline extents, from the
// device, or zeros.
absl::Status EngineImpl::ResolveGap(size_t index, const DataRead& read, uint64_t begin, uint64_t end,
                                    std::vector<DevicePiece>* pieces) {
  uint64_t at = begin;
  const auto zero_to = [&](uint64_t to) {
    if (to > at) std::memset(read.out.data() + (at - read.offset), 0, to - at);
    at = std::max(at, to);
  };
  RETURN_IF_ERROR(VisitExtents(read.inode, begin, end, [&](uint64_t offset, const ExtentView& extent) {
    zero_to(std::min(offset, end));
    const uint64_t stop = std::min(end, offset + extent.length);
    if (stop <= at) return true;
    uint8_t* out = read.out.data() + (at - read.offset);
    if (extent.kind == ExtentKind::kInline) {
      std::memcpy(out, extent.bytes.data() + (at - offset), stop - at);
    } else {
      const auto first = static_cast<uint32_t>((at - offset) / kBlockBytes);
      const auto last = static_cast<uint32_t>((stop - 1 - offset) / kBlockBytes);
      DevicePiece piece;
      piece.read = index;
      piece.address = extent.address + uint64_t{first} * kBlockBytes;
      piece.bytes = (last - first) * kBlockBytes + extent.UnitBytes(last);
      piece.crcs.resize(last - first + 1);
      std::memcpy(piece.crcs.data(), extent.bytes.data() + size_t{first} * 4, piece.crcs.size() * 4);
      piece.skip = static_cast<uint32_t>(at - offset - uint64_t{first} * kBlockBytes);
      piece.out = absl::MakeSpan(out, stop - at);
      piece.inode = read.inode;
      piece.offset = offset + uint64_t{first} * kBlockBytes;
      pieces->push_back(std::move(piece));
    }
    at = stop;
    return at < end;
  }));
  zero_to(end);
  return absl::OkStatus();
}

absl::Status EngineImpl::Resolve(size_t index, const DataRead& read, std::vector<DevicePiece>* pieces) {
  if (read.out.empty()) return absl::OkStatus();
  const uint64_t end = read.offset + read.out.size();
  if (end < read.offset) return absl::InvalidArgumentError("read past the largest offset");
  uint64_t at = read.offset;
  absl::Status status;
  buffer_.Visit(read.inode, read.offset, end, [&](uint64_t offset, const WriteBuffer::Run& run) {
    mutex_.AssertReaderHeld();
    if (offset > at) status.Update(ResolveGap(index, read, at, offset, pieces));
    const uint64_t from = std::max(offset, read.offset);
    const uint64_t units_end = std::min(end, offset + base::RoundUp(run.length, kBlockBytes));
    const uint64_t bytes_end = std::max(from, std::min(end, offset + run.length));
    std::memcpy(read.out.data() + (from - read.offset), run.data() + (from - offset), bytes_end - from);
    std::memset(read.out.data() + (bytes_end - read.offset), 0, units_end - bytes_end);
    at = units_end;
  });
  RETURN_IF_ERROR(status);
  return at < end ? ResolveGap(index, read, at, end, pieces) : absl::OkStatus();
}

// Takes out what the cache has, or what was read ahead.
void EngineImpl::ReadFromCache(std::vector<DevicePiece>* pieces) {
  const auto served = std::remove_if(pieces->begin(), pieces->end(),
                                     [this](const DevicePiece& piece) { return ReadCached(piece) || ReadFetched(piece, true); });
  cache_lookups_.fetch_add(pieces->size(), std::memory_order_relaxed);
  cache_hits_.fetch_add(static_cast<uint64_t>(pieces->end() - served), std::memory_order_relaxed);
  pieces->erase(served, pieces->end());
}

// From the cache, if it has all of the piece and that is what the extent says.
bool EngineImpl::ReadCached(const DevicePiece& piece) {
  // Straight to where it is wanted, if that is all of it.
  if (piece.skip == 0 && piece.out.size() == piece.bytes) {
    return cache_.Read(piece.address, piece.out) && Verify(piece, piece.out.data()).ok();
  }
  std::vector<uint8_t> stored(piece.bytes);
  if (!cache_.Read(piece.address, absl::MakeSpan(stored)) || !Verify(piece, stored.data()).ok()) return false;
  std::memcpy(piece.out.data(), stored.data() + piece.skip, piece.out.size());
  return true;
}

// From what was read ahead, if it is there and what the extent says.
bool EngineImpl::ReadFetched(const DevicePiece& piece, bool wait) {
  const bool straight = piece.skip == 0 && piece.out.size() == piece.bytes;
  std::vector<uint8_t> stored(straight ? 0 : piece.bytes);
  const absl::Span<uint8_t> to = straight ? piece.out : absl::MakeSpan(stored);
  const ReadAhead::Answer answer = ahead_.Take(piece.address, to, wait);
  if (answer == ReadAhead::Answer::kCached) return ReadCached(piece);
  if (answer != ReadAhead::Answer::kCopied || !Verify(piece, to.data()).ok()) return false;
  if (!straight) std::memcpy(piece.out.data(), stored.data() + piece.skip, piece.out.size());
  return true;
}

// Whoever reads on where he was gets what follows the last of the pieces.
void EngineImpl::NoteReads(absl::Span<const DevicePiece> pieces) {
  if (pieces.empty()) return;
  const DevicePiece& last = *std::max_element(pieces.begin(), pieces.end(), [](const DevicePiece& a, const DevicePiece& b) { return a.address < b.address; });
  ahead_.Note(base::RoundDown(last.address, kBlockBytes), base::RoundUp(last.address + last.bytes, kBlockBytes));
}

// Sorts by address, merges neighbours, submits everything at once, verifies each unit.
void EngineImpl::ReadPieces(const std::vector<DevicePiece>& all,
                            absl::FunctionRef<void(const DevicePiece&, absl::Status)> failed) {
  std::vector<const DevicePiece*> pieces;
  for (const DevicePiece& piece : all) pieces.push_back(&piece);
  if (pieces.empty()) return;
  std::sort(pieces.begin(), pieces.end(), [](const DevicePiece* a, const DevicePiece* b) { return a->address < b->address; });
  std::vector<Transfer> transfers;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const uint64_t begin = base::RoundDown(pieces[i]->address, kBlockBytes);
    const uint64_t end = base::RoundUp(pieces[i]->address + pieces[i]->bytes, kBlockBytes);
    if (!transfers.empty()) {
      Transfer& last = transfers.back();
      if (begin <= last.end + options_.read_merge_gap && std::max(end, last.end) - last.begin <= kReadBytesMax) {
        last.end = std::max(end, last.end);
        last.last = i + 1;
        continue;
      }
    }
    transfers.push_back({begin, end, i, i + 1, {}, {}});
  }
  Submit(transfers);
  for (Transfer& transfer : transfers) {
    for (size_t i = transfer.first; i < transfer.last; ++i) {
      const DevicePiece& piece = *pieces[i];
      absl::Status status = transfer.status;
      const uint8_t* stored = transfer.buffer.data() + (piece.address - transfer.begin);
      if (status.ok()) status = Verify(piece, stored);
      if (status.ok()) {
        std::memcpy(piece.out.data(), stored + piece.skip, piece.out.size());
      } else {
        if (status.code() == absl::StatusCode::kDataLoss) checksum_errors_.fetch_add(1);
        failed(piece, status);
      }
    }
    const uint64_t bytes = transfer.end - transfer.begin;
    if (transfer.status.ok() && bytes <= kCachedReadMax) cache_.Insert(transfer.begin, transfer.buffer.span(0, bytes));
    GiveBuffer(std::move(transfer.buffer));
  }
}

// Large buffers are kept: fresh memory costs more than the copy that goes into it.
AlignedBuffer EngineImpl::TakeBuffer(uint64_t bytes) {
  if (bytes > kPooledMin && bytes <= buffers_.buffer_size()) return buffers_.Get();
  return AlignedBuffer::Uninitialized(bytes);
}

void EngineImpl::GiveBuffer(AlignedBuffer buffer) {
  if (buffer.size() == buffers_.buffer_size()) buffers_.Put(std::move(buffer));
}

void EngineImpl::Submit(std::vector<Transfer>& transfers) {
  std::vector<IoRequest> requests;
  for (Transfer& transfer : transfers) {
    transfer.buffer = TakeBuffer(transfer.end - transfer.begin);
    requests.push_back(IoRequest::Read(transfer.begin, transfer.buffer.span(0, transfer.end - transfer.begin),
                                       [&transfer](const absl::Status& status) { transfer.status = status; }));
    device_bytes_read_.fetch_add(transfer.end - transfer.begin);
    const uint64_t chunk = (transfer.begin - chunks_begin_) / chunk_bytes_;
    if (transfer.begin >= chunks_begin_ && chunk < chunk_reads_.size()) {
      chunk_reads_[chunk].fetch_add(1, std::memory_order_relaxed);
    }
  }
  device_reads_.fetch_add(requests.size());
  const int64_t begin_ns = clock_.MonotonicNs();
  static_cast<void>(device_.SubmitAndWait(absl::MakeSpan(requests)));  // each transfer knows its own status
  device_read_latency_.Add(clock_.MonotonicNs() - begin_ns);
}

absl::Status EngineImpl::Verify(const DevicePiece& piece, const uint8_t* stored) const {
  for (uint32_t unit = 0; unit < piece.crcs.size(); ++unit) {
    const uint32_t at = unit * kBlockBytes;
    const uint32_t computed = Crc32c(stored + at, std::min(kBlockBytes, piece.bytes - at));
    if (computed != piece.crcs[unit]) {
      return absl::DataLossError(absl::StrFormat("checksum mismatch; address %d, inode %d, offset %d; stored %08x, computed %08x; %s",
                                                 piece.address + at, piece.inode, piece.offset + at, piece.crcs[unit],
                                                 computed, device_.name()));
    }
  }
  return absl::OkStatus();
}

absl::Status EngineImpl::ReadData(const DataRead& read) {
  absl::Status result;
  ReadDataBatch(absl::MakeConstSpan(&read, 1), [&](size_t, absl::Status status) { result = std::move(status); });
  return result;
}

bool EngineImpl::TryReadData(const DataRead& read) {
  std::vector<DevicePiece> pieces;
  {
    base::ReaderMutexLock lock(&mutex_);
    if (!Resolve(0, read, &pieces).ok()) return false;
    const bool here = std::all_of(pieces.begin(), pieces.end(), [this](const DevicePiece& piece) { return ReadCached(piece) || ReadFetched(piece, false); });
    if (!here) return false;
  }
  NoteReads(pieces);
  reads_.fetch_add(1, std::memory_order_relaxed);
  if (pieces.empty()) buffer_hits_.fetch_add(1, std::memory_order_relaxed);
  cache_lookups_.fetch_add(pieces.size(), std::memory_order_relaxed);
  cache_hits_.fetch_add(pieces.size(), std::memory_order_relaxed);
  return true;
}

void EngineImpl::ReadDataBatch(absl::Span<const DataRead> reads,
                               absl::FunctionRef<void(size_t index, absl::Status)> done) {
  std::vector<DevicePiece> pieces;
  std::vector<absl::Status> statuses(reads.size());
  uint64_t era = 0;
  {
    base::ReaderMutexLock lock(&mutex_);
    for (size_t i = 0; i < reads.size(); ++i) statuses[i] = Resolve(i, reads[i], &pieces);
    if (!pieces.empty()) era = EnterReader();
  }
  reads_.fetch_add(reads.size(), std::memory_order_relaxed);
  if (pieces.empty()) {
    buffer_hits_.fetch_add(reads.size(), std::memory_order_relaxed);
  } else {
    // First what will be wanted next: it comes while this is waited for.
    NoteReads(pieces);
    ReadFromCache(&pieces);
    ReadPieces(pieces, [&](const DevicePiece& piece, absl::Status status) { statuses[piece.read].Update(status); });
    LeaveReader(era);
  }
  for (size_t i = 0; i < reads.size(); ++i) done(i, statuses[i]);
}

absl::StatusOr<uint64_t> EngineImpl::Seek(InodeNumber inode, uint64_t offset, bool hole) {
  base::ReaderMutexLock lock(&mutex_);
  // Walks data, buffered or placed, from `offset` on; units are data as a whole.
  uint64_t at = offset;
  bool any = false;
  while (true) {
    uint64_t begin = UINT64_MAX, end = 0;
    const auto consider = [&](uint64_t data_begin, uint64_t data_end) {
      if (data_end <= at || data_begin >= begin) return;
      begin = data_begin;
      end = data_end;
    };
    buffer_.Visit(inode, at, UINT64_MAX, [&](uint64_t run_offset, const WriteBuffer::Run& run) {
      consider(run_offset, run_offset + base::RoundUp(run.length, kBlockBytes));
    });
    RETURN_IF_ERROR(VisitExtents(inode, at, UINT64_MAX, [&](uint64_t extent_offset, const ExtentView& extent) {
      const uint64_t extent_end = extent_offset + base::RoundUp(extent.length, kBlockBytes);
      consider(extent_offset, extent_end);
      return extent_end <= at;
    }));
    if (begin == UINT64_MAX) {
      if (hole && any) return at;
      return absl::NotFoundError("no data at or behind the offset");
    }
    any = true;
    if (!hole) return std::max(begin, offset);
    if (begin > at) return at;
    at = end;
  }
}

uint64_t EngineImpl::AllocatedBytes(InodeNumber inode) {
  base::ReaderMutexLock lock(&mutex_);
  uint64_t bytes = 0;
  const absl::Status status = VisitExtents(inode, 0, UINT64_MAX, [&](uint64_t, const ExtentView& extent) {
    if (extent.kind != ExtentKind::kInline) bytes += base::RoundUp(extent.length, kBlockBytes);
    return true;
  });
  if (!status.ok()) return bytes;
  buffer_.Visit(inode, 0, UINT64_MAX, [&](uint64_t offset, const WriteBuffer::Run& run) {
    mutex_.AssertReaderHeld();
    const uint64_t end = offset + base::RoundUp(run.length, kBlockBytes);
    uint64_t covered = 0;
    static_cast<void>(VisitExtents(inode, offset, end, [&](uint64_t extent_offset, const ExtentView& extent) {
      if (extent.kind == ExtentKind::kInline) return true;
      const uint64_t extent_end = extent_offset + base::RoundUp(extent.length, kBlockBytes);
      covered += std::min(end, extent_end) - std::max(offset, extent_offset);
      return true;
    }));
    bytes += end - offset - covered;
  });
  return bytes;
}

}  // namespace fs
