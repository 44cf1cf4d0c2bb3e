#include "tools/statistics_delta.h"

#include <cmath>
#include <vector>

namespace tools {
namespace {

using Buckets = std::vector<uint64_t>;

// Counters that went back belong to another mount.
uint64_t Grown(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

void AddBuckets(const fs::Latency& before, const fs::Latency& now, Buckets* sum) {
  if (sum->size() < static_cast<size_t>(now.buckets_size())) sum->resize(static_cast<size_t>(now.buckets_size()));
  for (int i = 0; i < now.buckets_size(); ++i) {
    (*sum)[static_cast<size_t>(i)] += Grown(i < before.buckets_size() ? before.buckets(i) : 0, now.buckets(i));
  }
}

// The upper end of the bucket that it falls into; 0 without any.
double Percentile(const Buckets& buckets, double share) {
  uint64_t count = 0;
  for (const uint64_t n : buckets) count += n;
  uint64_t below = 0;
  for (size_t i = 0; i < buckets.size() && count > 0; ++i) {
    below += buckets[i];
    if (static_cast<double>(below) >= share * static_cast<double>(count)) {
      return std::ldexp(1e-9, static_cast<int>(i) + 1);
    }
  }
  return 0;
}

absl::optional<double> HitRatio(const fs::Statistics& before, const fs::Statistics& now, const char* cache) {
  const auto then = before.caches().find(cache), found = now.caches().find(cache);
  if (then == before.caches().end() || found == now.caches().end()) return absl::nullopt;
  const uint64_t lookups = Grown(then->second.lookups(), found->second.lookups());
  if (lookups == 0) return absl::nullopt;
  return static_cast<double>(Grown(then->second.hits(), found->second.hits())) / static_cast<double>(lookups);
}

uint64_t EngineCounter(const fs::Statistics& statistics, const char* name) {
  const auto found = statistics.engine().find(name);
  return found == statistics.engine().end() ? 0 : found->second;
}

}  // namespace

StatisticsDelta DeltaOf(const fs::Statistics& before, const fs::Statistics& now) {
  StatisticsDelta delta;
  const double seconds = now.uptime_seconds() - before.uptime_seconds();
  if (seconds <= 0) return delta;
  delta.seconds = seconds;
  const auto rate = [seconds](uint64_t from, uint64_t to) { return static_cast<double>(Grown(from, to)) / seconds; };
  Buckets all;
  for (const auto& [name, operation] : now.operations()) {
    const auto found = before.operations().find(name);
    const fs::Statistics::Operation then =
        found == before.operations().end() ? fs::Statistics::Operation() : found->second;
    if (operation.count() <= then.count()) continue;
    Buckets own;
    AddBuckets(then.latency(), operation.latency(), &own);
    AddBuckets(then.latency(), operation.latency(), &all);
    OperationDelta& change = delta.operations[name];
    change.per_second = rate(then.count(), operation.count());
    change.errors = Grown(then.errors(), operation.errors());
    change.p50_seconds = Percentile(own, 0.5);
    change.p99_seconds = Percentile(own, 0.99);
    delta.requests_per_second += change.per_second;
  }
  delta.request_p99_seconds = Percentile(all, 0.99);
  delta.read_bytes_per_second =
      rate(EngineCounter(before, "device_read_bytes_total"), EngineCounter(now, "device_read_bytes_total"));
  delta.user_bytes_per_second = rate(before.writes().user_bytes(), now.writes().user_bytes());
  delta.device_bytes_per_second = rate(before.writes().device_bytes(), now.writes().device_bytes());
  delta.commits_per_second = rate(EngineCounter(before, "commits_total"), EngineCounter(now, "commits_total"));
  delta.evicted_files = Grown(before.evictions().files(), now.evictions().files());
  delta.expired_files = Grown(before.evictions().expired_files(), now.evictions().expired_files());
  delta.buffer_hit_ratio = HitRatio(before, now, "write_buffer");
  delta.block_hit_ratio = HitRatio(before, now, "blocks");
  return delta;
}

}  // namespace tools
