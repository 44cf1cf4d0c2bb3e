// The families of `.cachefs/stats`.
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "fs/mount/prometheus.h"
#include "fs/mount/statistics.h"

namespace fs {
namespace {

using Type = PrometheusText::Type;

template <typename Value>
std::map<std::string, Value> Sorted(const google::protobuf::Map<std::string, Value>& values) {
  return {values.begin(), values.end()};
}

double Number(uint64_t value) { return static_cast<double>(value); }

void AddSpace(const Statistics& statistics, PrometheusText* out) {
  const Statistics::Space& space = statistics.space();
  out->Single("cachefs_size_bytes", Type::kGauge, "What df calls the size.", Number(space.total_bytes()));
  out->Single("cachefs_free_bytes", Type::kGauge, "Free space with the reserves.", Number(space.free_bytes()));
  out->Single("cachefs_available_bytes", Type::kGauge, "What a write may still take.", Number(space.available_bytes()));
  out->Single("cachefs_files", Type::kGauge, "Inodes in use.", Number(space.files()));
  out->Single("cachefs_inodes_cached", Type::kGauge, "Inodes held in memory.", Number(statistics.inodes_cached()));
  const auto chunks = Sorted(statistics.chunks());
  out->Family("cachefs_chunks", Type::kGauge, "Chunks of the device by what they hold.");
  for (const auto& [type, use] : chunks) out->Sample(Number(use.count()), {{"type", type}});
  out->Family("cachefs_chunk_size_bytes", Type::kGauge, "Bytes of the device in chunks of this type.");
  for (const auto& [type, use] : chunks) out->Sample(Number(use.bytes()), {{"type", type}});
  out->Family("cachefs_chunk_used_bytes", Type::kGauge, "Of which files or the tree need.");
  for (const auto& [type, use] : chunks) out->Sample(Number(use.used_bytes()), {{"type", type}});
}

void AddOperations(const Statistics& statistics, PrometheusText* out) {
  out->Family("cachefs_requests_total", Type::kCounter, "Requests of the kernel.");
  for (const auto& [name, count] : Sorted(statistics.requests())) out->Sample(Number(count), {{"opcode", name}});
  const auto operations = Sorted(statistics.operations());
  out->Family("cachefs_request_errors_total", Type::kCounter, "Requests answered with an error, not counting absence.");
  for (const auto& [name, operation] : operations) out->Sample(Number(operation.errors()), {{"opcode", name}});
  out->Family("cachefs_request_seconds", Type::kHistogram, "From a request's arrival to its reply.");
  for (const auto& [name, operation] : operations) {
    if (operation.latency().count() > 0) out->Histogram(operation.latency(), {{"opcode", name}});
  }
  out->Family("cachefs_request_percentile_seconds", Type::kGauge, "The same as percentiles since the mount.");
  for (const auto& [name, operation] : operations) {
    const Latency& latency = operation.latency();
    if (latency.count() == 0) continue;
    out->Sample(latency.p50_seconds(), {{"opcode", name}, {"percentile", "50"}});
    out->Sample(latency.p99_seconds(), {{"opcode", name}, {"percentile", "99"}});
    out->Sample(latency.p999_seconds(), {{"opcode", name}, {"percentile", "99.9"}});
  }
  out->Single("cachefs_requests_under_way", Type::kGauge, "Requests that await their reply.",
              Number(statistics.requests_under_way()));
}

void AddWrites(const Statistics& statistics, PrometheusText* out) {
  const Statistics::Writes& writes = statistics.writes();
  out->Single("cachefs_pending_writes", Type::kGauge, "Changes that are not durable yet.",
              Number(writes.pending_writes()));
  out->Single("cachefs_buffered_bytes", Type::kGauge, "Data that is not on the device yet.",
              Number(writes.buffered_bytes()));
  out->Single("cachefs_buffer_utilisation_ratio", Type::kGauge, "Buffered data of what may be buffered.",
              writes.buffer_utilisation());
  out->Single("cachefs_batch_size_average", Type::kGauge, "Changes for each commit since the mount.",
              writes.average_batch_size());
  out->Single("cachefs_flushes_per_second", Type::kGauge, "Flushes of the device since the mount.",
              writes.flushes_per_second());
  out->Single("cachefs_user_written_bytes_total", Type::kCounter, "Bytes that were given to us.",
              Number(writes.user_bytes()));
  out->Single("cachefs_device_written_bytes_total", Type::kCounter, "Bytes that were written for them.",
              Number(writes.device_bytes()));
  out->Single("cachefs_write_amplification_ratio", Type::kGauge, "Bytes written for each byte given.",
              writes.write_amplification());
  out->Family("cachefs_commit_seconds", Type::kHistogram, "A batch's writes and its flush.");
  out->Histogram(writes.commit());
}

void AddReads(const Statistics& statistics, PrometheusText* out) {
  const Statistics::Reads& reads = statistics.reads();
  out->Family("cachefs_device_read_seconds", Type::kHistogram, "Reads submitted to the device together.");
  out->Histogram(reads.device());
  out->Single("cachefs_read_ahead_bytes_total", Type::kCounter, "Read before anybody asked.",
              Number(reads.read_ahead_bytes()));
  out->Single("cachefs_read_ahead_used_bytes_total", Type::kCounter, "Of these, asked for later.",
              Number(reads.read_ahead_used_bytes()));
  out->Single("cachefs_read_ahead_wasted_bytes_total", Type::kCounter, "Of these, gone before anybody asked.",
              Number(reads.read_ahead_wasted_bytes()));
  const auto caches = Sorted(statistics.caches());
  out->Family("cachefs_cache_lookups_total", Type::kCounter, "Reads that looked into a cache.");
  for (const auto& [name, cache] : caches) out->Sample(Number(cache.lookups()), {{"cache", name}});
  out->Family("cachefs_cache_hits_total", Type::kCounter, "Reads that a cache answered.");
  for (const auto& [name, cache] : caches) out->Sample(Number(cache.hits()), {{"cache", name}});
  out->Family("cachefs_cache_hit_ratio", Type::kGauge, "Hits of lookups since the mount.");
  for (const auto& [name, cache] : caches) out->Sample(cache.hit_ratio(), {{"cache", name}});
  out->Family("cachefs_cache_bytes", Type::kGauge, "What a cache holds.");
  for (const auto& [name, cache] : caches) out->Sample(Number(cache.bytes()), {{"cache", name}});
}

void AddPolicies(const Statistics& statistics, PrometheusText* out) {
  const Statistics::Evictions& evictions = statistics.evictions();
  out->Single("cachefs_evicted_files_total", Type::kCounter, "Files removed to make room.", Number(evictions.files()));
  out->Single("cachefs_evicted_bytes_total", Type::kCounter, "Their bytes.", Number(evictions.bytes()));
  out->Single("cachefs_expired_files_total", Type::kCounter, "Files removed because their time had come.",
              Number(evictions.expired_files()));
  const auto family = [&](absl::string_view name, Type type, absl::string_view help,
                          double (*value)(const Statistics::Policy&)) {
    out->Family(name, type, help);
    for (const Statistics::Policy& policy : statistics.policies()) {
      const PrometheusLabels labels = {
          {"policy", absl::StrCat(policy.id())}, {"directory", policy.directory()}, {"kind", policy.kind()}};
      out->Sample(value(policy), labels);
    }
  };
  using Policy = Statistics::Policy;
  family("cachefs_policy_used_bytes", Type::kGauge, "What the files of a policy use.",
         [](const Policy& policy) { return Number(policy.bytes()); });
  family("cachefs_policy_quota_bytes", Type::kGauge, "What they may use; 0 without a limit.",
         [](const Policy& policy) { return Number(policy.quota_bytes()); });
  family("cachefs_policy_files", Type::kGauge, "How many they are.",
         [](const Policy& policy) { return Number(policy.files()); });
  family("cachefs_policy_lookups_total", Type::kCounter, "Lookups of names in the directory of a policy.",
         [](const Policy& policy) { return Number(policy.lookups()); });
  family("cachefs_policy_hits_total", Type::kCounter, "Of these, found.",
         [](const Policy& policy) { return Number(policy.hits()); });
  family("cachefs_policy_evicted_files_total", Type::kCounter, "Files of a policy removed to make room.",
         [](const Policy& policy) { return Number(policy.evicted_files()); });
}

void AddState(const Statistics& statistics, PrometheusText* out) {
  const Statistics::Log& log = statistics.log();
  out->Single("cachefs_log_size_bytes", Type::kGauge, "Of the commit log.", Number(log.size_bytes()));
  out->Single("cachefs_log_used_bytes", Type::kGauge, "Since the last checkpoint.", Number(log.used_bytes()));
  out->Single("cachefs_log_data_bytes", Type::kGauge, "File data that lies in the log only.",
              Number(log.logged_data_bytes()));
  const Statistics::Checkpoint& checkpoint = statistics.checkpoint();
  out->Single("cachefs_checkpoints_total", Type::kCounter, "Checkpoints since the mount.", Number(checkpoint.count()));
  out->Single("cachefs_checkpoint_age_seconds", Type::kGauge, "Since the last checkpoint, or the mount.",
              checkpoint.age_seconds());
  out->Single("cachefs_tree_pages", Type::kGauge, "Pages of the tree.", Number(checkpoint.tree_pages()));
  out->Single("cachefs_tree_dirty_pages", Type::kGauge, "Of these, changed since the last checkpoint.",
              Number(checkpoint.dirty_pages()));
  const Statistics::Batches& batches = statistics.batches();
  out->Single("cachefs_batch_sessions", Type::kGauge, "Batch sessions that are open.", Number(batches.sessions()));
  out->Single("cachefs_batch_items_total", Type::kCounter, "Items of batch frames.", Number(batches.items()));
  out->Family("cachefs_batch_frame_seconds", Type::kHistogram, "From a frame's arrival to its answer.");
  out->Histogram(batches.frame());
  out->Single("cachefs_events_total", Type::kCounter, "Evictions, expiries and errors in the event log.",
              Number(statistics.events()));
  for (const auto& [name, count] : Sorted(statistics.engine())) {
    out->Single(absl::StrCat("cachefs_engine_", name), absl::EndsWith(name, "_total") ? Type::kCounter : Type::kGauge,
                absl::StrCat("The engine's ", absl::StrReplaceAll(name, {{"_", " "}}), "."), Number(count));
  }
}

}  // namespace

std::string StatisticsPrometheus(const Statistics& statistics) {
  PrometheusText out({{"mount", statistics.mount_point()}, {"store", statistics.store()}});
  out.Family("cachefs_build_info", Type::kGauge, "The version of the daemon as a label; always 1.");
  out.Sample(1, {{"version", statistics.version()}});
  out.Single("cachefs_uptime_seconds", Type::kGauge, "Time since the mount.", statistics.uptime_seconds());
  out.Single("cachefs_read_only", Type::kGauge, "1 if nothing can be changed.", statistics.read_only() ? 1 : 0);
  AddSpace(statistics, &out);
  AddOperations(statistics, &out);
  AddWrites(statistics, &out);
  AddReads(statistics, &out);
  AddPolicies(statistics, &out);
  AddState(statistics, &out);
  return out.text();
}

}  // namespace fs
