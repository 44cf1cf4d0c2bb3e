#include "fs/mount/engine_statistics.h"

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fs/volume/space_map.h"

namespace fs {
namespace {

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// What has no place of its own in the message. Counters end in "_total".
std::map<std::string, uint64_t> CountersOf(const EngineStats& stats) {
  return {
      {"mutations_total", stats.mutations},
      {"commits_total", stats.commits},
      {"commit_waits_total", stats.commit_waits},
      {"flushes_total", stats.flushes},
      {"cleaned_chunks_total", stats.cleaned_chunks},
      {"moved_bytes_total", stats.moved_bytes},
      {"log_written_bytes_total", stats.log_bytes_written},
      {"data_written_bytes_total", stats.data_bytes_written},
      {"page_written_bytes_total", stats.page_bytes_written},
      {"reads_total", stats.reads},
      {"device_reads_total", stats.device_reads},
      {"device_read_bytes_total", stats.device_bytes_read},
      {"checksum_errors_total", stats.checksum_errors},
      {"failed_flushes_total", stats.failed_flushes},
      {"failed_writes_total", stats.failed_writes},
      {"retired_chunks_total", stats.retired_chunks},
      {"recovered_batches_total", stats.recovered_batches},
  };
}

const char* KindName(PolicyRow::Kind kind) {
  switch (kind) {
    case PolicyRow::kKeep: return "keep";
    case PolicyRow::kLru: return "lru";
    case PolicyRow::kFifo: return "fifo";
  }
  return "other";
}

void SetCache(uint64_t lookups, uint64_t hits, uint64_t bytes, uint64_t bytes_max, Statistics::Cache* cache) {
  cache->set_lookups(lookups);
  cache->set_hits(hits);
  cache->set_hit_ratio(Ratio(hits, lookups));
  cache->set_bytes(bytes);
  cache->set_bytes_max(bytes_max);
}

void SetWrites(const EngineStats& stats, double uptime_seconds, Statistics::Writes* writes) {
  writes->set_pending_writes(stats.pending_mutations);
  writes->set_buffered_bytes(stats.dirty_bytes);
  writes->set_buffered_bytes_max(stats.dirty_bytes_max);
  writes->set_buffer_utilisation(Ratio(stats.dirty_bytes, stats.dirty_bytes_max));
  writes->set_average_batch_size(Ratio(stats.mutations, stats.commits));
  writes->set_flushes_per_second(uptime_seconds > 0 ? static_cast<double>(stats.flushes) / uptime_seconds : 0);
  writes->set_user_bytes(stats.user_bytes);
  writes->set_device_bytes(stats.log_bytes_written + stats.data_bytes_written + stats.page_bytes_written);
  writes->set_write_amplification(Ratio(writes->device_bytes(), stats.user_bytes));
  *writes->mutable_commit() = LatencyOf(stats.commit_latency);
}

}  // namespace

Latency LatencyOf(const LatencySnapshot& snapshot) {
  Latency latency;
  latency.set_count(snapshot.count);
  latency.set_sum_seconds(absl::ToDoubleSeconds(snapshot.sum));
  latency.set_max_seconds(absl::ToDoubleSeconds(snapshot.max));
  latency.set_p50_seconds(absl::ToDoubleSeconds(snapshot.Percentile(0.5)));
  latency.set_p99_seconds(absl::ToDoubleSeconds(snapshot.Percentile(0.99)));
  latency.set_p999_seconds(absl::ToDoubleSeconds(snapshot.Percentile(0.999)));
  size_t used = snapshot.buckets.size();
  while (used > 0 && snapshot.buckets[used - 1] == 0) --used;
  for (size_t i = 0; i < used; ++i) latency.add_buckets(snapshot.buckets[i]);
  return latency;
}

void AddEngineStatistics(const EngineStats& stats, const std::vector<ChunkInfo>& chunks, uint64_t chunk_bytes,
                         Statistics* statistics) {
  for (const auto& [name, count] : CountersOf(stats)) (*statistics->mutable_engine())[name] = count;
  SetWrites(stats, statistics->uptime_seconds(), statistics->mutable_writes());
  Statistics::Reads* const reads = statistics->mutable_reads();
  *reads->mutable_device() = LatencyOf(stats.device_read_latency);
  reads->set_read_ahead_bytes(stats.read_ahead_bytes);
  reads->set_read_ahead_used_bytes(stats.read_ahead_used_bytes);
  reads->set_read_ahead_wasted_bytes(stats.read_ahead_wasted_bytes);
  SetCache(stats.reads, stats.buffer_hits, stats.dirty_bytes + stats.logged_bytes, stats.dirty_bytes_max,
           &(*statistics->mutable_caches())["write_buffer"]);
  SetCache(stats.cache_lookups, stats.cache_hits, stats.cache_bytes, stats.cache_bytes_max,
           &(*statistics->mutable_caches())["blocks"]);
  Statistics::Log* const log = statistics->mutable_log();
  log->set_size_bytes(stats.log_bytes_total);
  log->set_used_bytes(stats.log_bytes_used);
  log->set_logged_data_bytes(stats.logged_bytes);
  Statistics::Checkpoint* const checkpoint = statistics->mutable_checkpoint();
  checkpoint->set_count(stats.checkpoints);
  checkpoint->set_age_seconds(absl::ToDoubleSeconds(stats.checkpoint_age));
  checkpoint->set_dirty_pages(stats.dirty_pages);
  checkpoint->set_tree_pages(stats.tree_pages);
  checkpoint->set_tree_height(stats.tree_height);
  checkpoint->set_pages_written(stats.checkpoint_pages);
  for (const ChunkInfo& chunk : chunks) {
    Statistics::Chunks& use = (*statistics->mutable_chunks())[ChunkTypeName(chunk.type)];
    use.set_count(use.count() + 1);
    use.set_bytes(use.bytes() + chunk_bytes);
    use.set_used_bytes(use.used_bytes() + chunk.used_bytes);
  }
  for (const std::string& note : stats.notes) statistics->add_notes(note);
}

void AddVolumeStatistics(Volume& volume, Statistics* statistics) {
  const absl::StatusOr<VolumeStat> stat = volume.Stat();
  if (stat.ok()) {
    statistics->mutable_space()->set_total_bytes(stat->total_bytes);
    statistics->mutable_space()->set_free_bytes(stat->free_bytes);
    statistics->mutable_space()->set_available_bytes(stat->available_bytes);
    statistics->mutable_space()->set_files(stat->files);
  }
  statistics->set_inodes_cached(volume.cached_inode_count());
  const CacheCounts counts = volume.cache_counts();
  statistics->mutable_evictions()->set_files(counts.evicted_files);
  statistics->mutable_evictions()->set_bytes(counts.evicted_bytes);
  statistics->mutable_evictions()->set_expired_files(counts.expired_files);
  for (const PolicyUse& use : volume.Policies()) {
    Statistics::Policy* const policy = statistics->add_policies();
    const absl::StatusOr<std::string> path = volume.PathOf(use.policy.root);
    policy->set_id(use.id);
    policy->set_directory(path.ok() ? absl::StrCat("/", *path) : absl::StrCat("inode ", use.policy.root));
    policy->set_kind(KindName(use.policy.kind));
    policy->set_quota_bytes(use.policy.quota_bytes);
    policy->set_ttl_seconds(use.policy.ttl_seconds);
    policy->set_files(use.files);
    policy->set_bytes(use.bytes);
    policy->set_lookups(use.counts.lookups);
    policy->set_hits(use.counts.hits);
    policy->set_hit_ratio(Ratio(use.counts.hits, use.counts.lookups));
    policy->set_evicted_files(use.counts.evicted_files);
    policy->set_evicted_bytes(use.counts.evicted_bytes);
  }
}

}  // namespace fs
