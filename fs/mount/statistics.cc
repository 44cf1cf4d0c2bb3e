#include "fs/mount/statistics.h"

#include <google/protobuf/util/json_util.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/mount/prometheus.h"
#include "fs/volume/types.h"

namespace fs {
namespace {

constexpr size_t kTextBytesMax = 64 << 20;
constexpr size_t kXattrBytesMax = 64 << 10;

std::map<std::string, uint64_t> Sorted(const google::protobuf::Map<std::string, uint64_t>& counts) {
  return {counts.begin(), counts.end()};
}

absl::StatusOr<Statistics> Parse(const std::string& json, const std::string& path) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // of a newer daemon
  Statistics statistics;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &statistics, options);
  if (!status.ok()) {
    return absl::DataLossError(
        absl::StrCat("the statistics of ", path, " cannot be read: ", std::string(status.message())));
  }
  return statistics;
}

}  // namespace

std::string StatisticsJson(const Statistics& statistics) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  options.add_whitespace = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(statistics, &json, options);
  return status.ok() ? json : "";
}

absl::StatusOr<std::string> ReadControlText(const std::string& directory, absl::string_view name) {
  if (access(directory.c_str(), F_OK) != 0) return base::ErrnoStatus(errno, directory);
  const absl::StatusOr<std::string> text =
      base::ReadFile(absl::StrCat(directory, "/", kControlName, "/", name), kTextBytesMax);
  if (absl::IsNotFound(text.status()) || base::ErrnoOf(text.status()) == ENOTDIR) {
    return absl::FailedPreconditionError(absl::StrCat(directory, " is not on a cachefs mount that tells of ", name));
  }
  return text;
}

absl::StatusOr<Statistics> ReadStatistics(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::string json, ReadControlText(directory, "stats.json"));
  return Parse(json, directory);
}

absl::StatusOr<Statistics> ReadRequestCounts(const std::string& mount_point) {
  std::string json(kXattrBytesMax, '\0');
  const ssize_t size = getxattr(mount_point.c_str(), kRequestsXattr, json.data(), json.size());
  if (size < 0) return base::ErrnoStatus(errno, absl::StrCat("asking ", mount_point, " for its requests"));
  json.resize(static_cast<size_t>(size));
  return Parse(json, mount_point);
}

namespace {

// "p50 3us  p99 40us  p99.9 1ms  max 2ms".
std::string LatencyLine(const Latency& latency) {
  const auto text = [](double seconds) { return base::HumanDuration(absl::Seconds(seconds)); };
  return absl::StrCat("p50 ", text(latency.p50_seconds()), "  p99 ", text(latency.p99_seconds()), "  p99.9 ",
                      text(latency.p999_seconds()), "  max ", text(latency.max_seconds()));
}

std::string Percent(double ratio) { return absl::StrFormat("%.1f %%", ratio * 100); }

class Table {
 public:
  void Line(absl::string_view name, absl::string_view value) {
    absl::StrAppendFormat(&text_, "%-28s %s\n", name, value);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void AddWork(const Statistics& statistics, Table* table) {
  const Statistics::Writes& writes = statistics.writes();
  table->Line("pending writes",
              absl::StrCat(base::HumanCount(writes.pending_writes()), ", ", base::HumanSize(writes.buffered_bytes()),
                           " buffered, ", Percent(writes.buffer_utilisation()), " of the buffer"));
  table->Line("commits", absl::StrFormat("%.1f changes each, %.2f flushes/s, %s", writes.average_batch_size(),
                                         writes.flushes_per_second(), LatencyLine(writes.commit())));
  table->Line("write amplification", absl::StrFormat("%.2f", writes.write_amplification()));
  const Statistics::Reads& reads = statistics.reads();
  table->Line("read ahead", absl::StrCat(base::HumanSize(reads.read_ahead_bytes()), ", used ",
                                         base::HumanSize(reads.read_ahead_used_bytes()), ", wasted ",
                                         base::HumanSize(reads.read_ahead_wasted_bytes())));
  for (const auto& [name, cache] : std::map<std::string, Statistics::Cache>(statistics.caches().begin(),
                                                                            statistics.caches().end())) {
    table->Line(absl::StrCat("cache ", name),
                absl::StrCat(Percent(cache.hit_ratio()), " of ", base::HumanCount(cache.lookups()), " hit, ",
                             base::HumanSize(cache.bytes())));
  }
  const Statistics::Evictions& evictions = statistics.evictions();
  table->Line("evicted", absl::StrCat(base::HumanCount(evictions.files()), " files, ",
                                      base::HumanSize(evictions.bytes()), "; expired ",
                                      base::HumanCount(evictions.expired_files())));
  const Statistics::Log& log = statistics.log();
  table->Line("log", absl::StrCat(base::HumanSize(log.used_bytes()), " of ", base::HumanSize(log.size_bytes())));
  const Statistics::Checkpoint& checkpoint = statistics.checkpoint();
  table->Line("checkpoint", absl::StrCat(base::HumanDuration(absl::Seconds(checkpoint.age_seconds())), " ago, ",
                                         base::HumanCount(checkpoint.dirty_pages()), " of ",
                                         base::HumanCount(checkpoint.tree_pages()), " pages changed since"));
}

void AddSpace(const Statistics& statistics, Table* table) {
  for (const auto& [name, chunks] : std::map<std::string, Statistics::Chunks>(statistics.chunks().begin(),
                                                                              statistics.chunks().end())) {
    table->Line(absl::StrCat("chunks ", name),
                absl::StrCat(base::HumanCount(chunks.count()), ", ", base::HumanSize(chunks.used_bytes()), " of ",
                             base::HumanSize(chunks.bytes()), " in use"));
  }
  for (const Statistics::Policy& policy : statistics.policies()) {
    table->Line(absl::StrCat("policy ", policy.directory()),
                absl::StrCat(policy.kind(), ", ", base::HumanSize(policy.bytes()),
                             policy.quota_bytes() == 0 ? "" : absl::StrCat(" of ", base::HumanSize(policy.quota_bytes())),
                             " in ", base::HumanCount(policy.files()), " files, ", Percent(policy.hit_ratio()), " of ",
                             base::HumanCount(policy.lookups()), " lookups hit"));
  }
}

}  // namespace

std::string StatisticsTable(const Statistics& statistics) {
  Table table;
  const Statistics::Space& space = statistics.space();
  table.Line("store", statistics.store());
  table.Line("mounted on", absl::StrCat(statistics.mount_point(), statistics.read_only() ? " (read-only)" : ""));
  table.Line("version", statistics.version());
  table.Line("up", base::HumanDuration(absl::Seconds(statistics.uptime_seconds())));
  table.Line("size", base::HumanSize(space.total_bytes()));
  table.Line("used", base::HumanSize(space.total_bytes() - std::min(space.free_bytes(), space.total_bytes())));
  table.Line("available", base::HumanSize(space.available_bytes()));
  table.Line("files", base::HumanCount(space.files()));
  table.Line("inodes in memory", base::HumanCount(statistics.inodes_cached()));
  AddWork(statistics, &table);
  AddSpace(statistics, &table);
  for (const auto& [name, count] : Sorted(statistics.requests())) {
    const auto operation = statistics.operations().find(name);
    const bool timed = operation != statistics.operations().end() && operation->second.latency().count() > 0;
    table.Line(absl::StrCat("requests ", name),
               timed ? absl::StrFormat("%-12s %s", base::HumanCount(count), LatencyLine(operation->second.latency()))
                     : base::HumanCount(count));
  }
  for (const auto& [name, count] : Sorted(statistics.engine())) {
    table.Line(absl::StrCat("engine ", name),
               absl::StrContains(name, "bytes") ? base::HumanSize(count) : base::HumanCount(count));
  }
  for (const std::string& note : statistics.notes()) table.Line("note", note);
  return table.text();
}

}  // namespace fs
