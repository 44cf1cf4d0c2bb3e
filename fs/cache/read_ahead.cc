#include "fs/cache/read_ahead.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fs {
namespace {

constexpr uint64_t kRequestBytes = 1 << 20;
constexpr uint64_t kAheadMin = 128 << 10;
// From here on a read is part of a large file, and worth more bytes under way.
constexpr uint64_t kLargeReadBytes = 64 << 10;

}  // namespace

ReadAhead::ReadAhead(Device& device, BlockCache& cache, const Options& options)
    : device_(device), cache_(cache), options_(options), buffers_(kRequestBytes, 8) {}

ReadAhead::~ReadAhead() {
  base::MutexLock lock(&mutex_);
  while (under_way_ > 0) finished_.Wait(&mutex_);
}

void ReadAhead::Note(uint64_t begin, uint64_t end) {
  if (options_.small_bytes_max == 0) return;
  std::vector<std::shared_ptr<Segment>> segments;
  {
    base::MutexLock lock(&mutex_);
    Stream* stream = nullptr;
    for (Stream& s : streams_) {
      if (s.used != 0 && begin >= s.begin && begin <= s.asked + options_.gap_bytes) stream = &s;
    }
    if (stream == nullptr) {
      // A first look. The oldest makes room.
      stream = &*std::min_element(streams_.begin(), streams_.end(),
                                  [](const Stream& a, const Stream& b) { return a.used < b.used; });
      *stream = Stream{begin, 0, end, ++clock_};
      return;
    }
    stream->begin = begin;
    stream->used = ++clock_;
    const bool large = end - begin >= kLargeReadBytes;
    const uint64_t most = large ? kAheadLargeMax : options_.small_bytes_max;
    if (end + stream->ahead / 2 < stream->asked) return;  // far enough
    stream->ahead = std::clamp(stream->ahead * 2, std::min(kAheadMin, most), most);
    const uint64_t from = std::max(end, stream->asked);
    stream->asked = std::max(stream->asked, std::min(end + stream->ahead, options_.device_end));
    if (from < stream->asked) segments = Ask(from, stream->asked, large);
  }
  if (!segments.empty()) Start(segments);
}

// Splits [begin, end) into requests, without what is under way or held already.
std::vector<std::shared_ptr<ReadAhead::Segment>> ReadAhead::Ask(uint64_t begin, uint64_t end, bool large) {
  std::vector<std::shared_ptr<Segment>> asked;
  while (begin < end) {
    const auto there = Find(begin);
    if (there != segments_.end()) {
      begin = there->second->end;
      continue;
    }
    const auto next = segments_.upper_bound(begin);
    const uint64_t stop = std::min({end, begin + kRequestBytes, next == segments_.end() ? UINT64_MAX : next->first});
    if (!MakeRoom(stop - begin)) break;
    auto segment = std::make_shared<Segment>();
    segment->begin = begin;
    segment->end = stop;
    segment->large = large;
    segment->buffer = stop - begin == kRequestBytes ? buffers_.Get() : AlignedBuffer::Uninitialized(stop - begin);
    held_bytes_ += stop - begin;
    ++under_way_;
    segments_.emplace(begin, segment);
    asked.push_back(std::move(segment));
    begin = stop;
  }
  return asked;
}

// Drops what was least likely wanted any more; false if all of it is under way.
bool ReadAhead::MakeRoom(uint64_t bytes) {
  for (auto it = segments_.begin(); held_bytes_ + bytes > kHeldBytesMax && it != segments_.end();) {
    it = it->second->done ? Drop(it) : std::next(it);
  }
  return held_bytes_ + bytes <= kHeldBytesMax;
}

void ReadAhead::Start(const std::vector<std::shared_ptr<Segment>>& segments) {
  std::vector<IoRequest> requests;
  for (const std::shared_ptr<Segment>& segment : segments) {
    requests.push_back(IoRequest::Read(segment->begin, segment->buffer.span(),
                                       [this, segment](const absl::Status& status) { Finish(segment, status); }));
    bytes_.fetch_add(segment->end - segment->begin, std::memory_order_relaxed);
  }
  reads_.fetch_add(requests.size(), std::memory_order_relaxed);
  device_.Submit(absl::MakeSpan(requests));
}

// Runs on a thread of the device's.
void ReadAhead::Finish(const std::shared_ptr<Segment>& segment, const absl::Status& status) {
  if (status.ok() && !segment->large) cache_.Insert(segment->begin, segment->buffer.span(), /*ahead=*/true);
  base::MutexLock lock(&mutex_);
  segment->done = true;
  if (!status.ok() || !segment->large) Drop(segments_.find(segment->begin));
  --under_way_;
  finished_.SignalAll();
}

ReadAhead::Segments::iterator ReadAhead::Find(uint64_t address) {
  auto it = segments_.upper_bound(address);
  if (it == segments_.begin()) return segments_.end();
  --it;
  return address < it->second->end ? it : segments_.end();
}

ReadAhead::Segments::iterator ReadAhead::Drop(Segments::iterator it) {
  const std::shared_ptr<Segment>& segment = it->second;
  const uint64_t size = segment->end - segment->begin;
  held_bytes_ -= size;
  if (segment->large) {  // of others the block cache knows
    const uint64_t used = std::min(size, segment->used_bytes);
    used_bytes_.fetch_add(used, std::memory_order_relaxed);
    wasted_bytes_.fetch_add(size - used, std::memory_order_relaxed);
  }
  if (segment->buffer.size() == kRequestBytes) buffers_.Put(std::move(segment->buffer));
  return segments_.erase(it);
}

ReadAhead::Answer ReadAhead::Take(uint64_t address, absl::Span<uint8_t> out, bool wait) {
  base::MutexLock lock(&mutex_);
  bool cached = false;
  while (!out.empty()) {
    const auto it = Find(address);
    if (it == segments_.end()) return cached ? Answer::kCached : Answer::kAbsent;
    const std::shared_ptr<Segment> segment = it->second;
    if (!segment->done) {
      if (!wait) return Answer::kUnderWay;
      while (!segment->done) finished_.Wait(&mutex_);
      cached = cached || !segment->large;
      continue;  // it may be gone
    }
    const uint64_t step = std::min<uint64_t>(out.size(), segment->end - address);
    std::memcpy(out.data(), segment->buffer.data() + (address - segment->begin), step);
    segment->touched = true;
    segment->used_bytes += step;
    address += step;
    out.remove_prefix(step);
    if (segment->used_bytes >= segment->end - segment->begin) Drop(it);
  }
  return Answer::kCopied;
}

void ReadAhead::Trim() {
  base::MutexLock lock(&mutex_);
  for (auto it = segments_.begin(); it != segments_.end();) {
    const bool old = it->second->done && !std::exchange(it->second->touched, false);
    it = old ? Drop(it) : std::next(it);
  }
}

}  // namespace fs
