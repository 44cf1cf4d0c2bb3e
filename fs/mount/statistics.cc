#include "fs/mount/statistics.h"

#include <google/protobuf/util/json_util.h>
#include <linux/fuse.h>
#include <sys/xattr.h>

#include <cerrno>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "base/units.h"

namespace fs {
namespace {

// In the order of their numbers, from 1; "" where a number is not used.
constexpr const char* kOpcodeNames[] = {"",
                                        "LOOKUP",
                                        "FORGET",
                                        "GETATTR",
                                        "SETATTR",
                                        "READLINK",
                                        "SYMLINK",
                                        "",
                                        "MKNOD",
                                        "MKDIR",
                                        "UNLINK",
                                        "RMDIR",
                                        "RENAME",
                                        "LINK",
                                        "OPEN",
                                        "READ",
                                        "WRITE",
                                        "STATFS",
                                        "RELEASE",
                                        "",
                                        "FSYNC",
                                        "SETXATTR",
                                        "GETXATTR",
                                        "LISTXATTR",
                                        "REMOVEXATTR",
                                        "FLUSH",
                                        "INIT",
                                        "OPENDIR",
                                        "READDIR",
                                        "RELEASEDIR",
                                        "FSYNCDIR",
                                        "GETLK",
                                        "SETLK",
                                        "SETLKW",
                                        "ACCESS",
                                        "CREATE",
                                        "INTERRUPT",
                                        "BMAP",
                                        "DESTROY",
                                        "IOCTL",
                                        "POLL",
                                        "NOTIFY_REPLY",
                                        "BATCH_FORGET",
                                        "FALLOCATE",
                                        "READDIRPLUS",
                                        "RENAME2",
                                        "LSEEK",
                                        "COPY_FILE_RANGE",
                                        "SETUPMAPPING",
                                        "REMOVEMAPPING",
                                        "SYNCFS",
                                        "TMPFILE",
                                        "STATX"};
constexpr size_t kStatisticsBytesMax = 64 << 10;

std::map<std::string, uint64_t> Sorted(const google::protobuf::Map<std::string, uint64_t>& counts) {
  return {counts.begin(), counts.end()};
}

std::string Quoted(absl::string_view value) {
  return absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
}

}  // namespace

const char* OpcodeName(uint32_t opcode) {
  static_assert(sizeof kOpcodeNames / sizeof kOpcodeNames[0] == 53);
  static_assert(FUSE_RENAME2 == 45 && FUSE_SYNCFS == 50 && FUSE_TMPFILE == 51 && FUSE_STATFS == 17);
  return opcode < sizeof kOpcodeNames / sizeof kOpcodeNames[0] ? kOpcodeNames[opcode] : "";
}

std::string StatisticsJson(const Statistics& statistics) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  options.add_whitespace = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(statistics, &json, options);
  return status.ok() ? json : "";
}

absl::StatusOr<Statistics> ReadStatistics(const std::string& mount_point) {
  std::string json(kStatisticsBytesMax, '\0');
  const ssize_t size = getxattr(mount_point.c_str(), kStatisticsXattr, json.data(), json.size());
  if (size < 0) {
    if (errno == ENODATA || errno == EOPNOTSUPP) {
      return absl::FailedPreconditionError(absl::StrCat(mount_point, " is not the root of a cachefs mount"));
    }
    return base::ErrnoStatus(errno, absl::StrCat("asking ", mount_point, " for its statistics"));
  }
  json.resize(static_cast<size_t>(size));
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // of a newer daemon
  Statistics statistics;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &statistics, options);
  if (!status.ok()) {
    return absl::DataLossError(
        absl::StrCat("the statistics of ", mount_point, " cannot be read: ", std::string(status.message())));
  }
  return statistics;
}

std::string StatisticsTable(const Statistics& statistics) {
  std::string text;
  const auto line = [&text](absl::string_view name, absl::string_view value) {
    absl::StrAppendFormat(&text, "%-28s %s\n", name, value);
  };
  const Statistics::Space& space = statistics.space();
  line("store", statistics.store());
  line("mounted on", absl::StrCat(statistics.mount_point(), statistics.read_only() ? " (read-only)" : ""));
  line("version", statistics.version());
  line("up", base::HumanDuration(absl::Seconds(statistics.uptime_seconds())));
  line("size", base::HumanSize(space.total_bytes()));
  line("used", base::HumanSize(space.total_bytes() - std::min(space.free_bytes(), space.total_bytes())));
  line("available", base::HumanSize(space.available_bytes()));
  line("files", base::HumanCount(space.files()));
  line("inodes in memory", base::HumanCount(statistics.inodes_cached()));
  for (const auto& [name, count] : Sorted(statistics.requests())) {
    line(absl::StrCat("requests ", name), base::HumanCount(count));
  }
  for (const auto& [name, count] : Sorted(statistics.engine())) {
    line(absl::StrCat("engine ", name),
         absl::StrContains(name, "bytes") ? base::HumanSize(count) : base::HumanCount(count));
  }
  return text;
}

std::string StatisticsPrometheus(const Statistics& statistics) {
  std::string text;
  const std::string labels =
      absl::StrCat("mount=\"", Quoted(statistics.mount_point()), "\",store=\"", Quoted(statistics.store()), "\"");
  const auto metric = [&](absl::string_view name, absl::string_view type, absl::string_view help, double value) {
    absl::StrAppendFormat(&text, "# HELP cachefs_%s %s\n# TYPE cachefs_%s %s\ncachefs_%s{%s} %.17g\n", name, help, name,
                          type, name, labels, value);
  };
  const Statistics::Space& space = statistics.space();
  metric("uptime_seconds", "gauge", "Time since the mount.", statistics.uptime_seconds());
  metric("read_only", "gauge", "1 if nothing can be changed.", statistics.read_only() ? 1 : 0);
  metric("size_bytes", "gauge", "What df calls the size.", static_cast<double>(space.total_bytes()));
  metric("free_bytes", "gauge", "Free space with the reserves.", static_cast<double>(space.free_bytes()));
  metric("available_bytes", "gauge", "What a write may still take.", static_cast<double>(space.available_bytes()));
  metric("files", "gauge", "Inodes in use.", static_cast<double>(space.files()));
  metric("inodes_cached", "gauge", "Inodes held in memory.", static_cast<double>(statistics.inodes_cached()));
  absl::StrAppend(&text,
                  "# HELP cachefs_requests_total Requests of the kernel.\n# TYPE cachefs_requests_total counter\n");
  for (const auto& [name, count] : Sorted(statistics.requests())) {
    absl::StrAppend(&text, "cachefs_requests_total{", labels, ",opcode=\"", name, "\"} ", count, "\n");
  }
  for (const auto& [name, count] : Sorted(statistics.engine())) {
    metric(absl::StrCat("engine_", name), absl::EndsWith(name, "_total") ? "counter" : "gauge",
           absl::StrCat("The engine's ", absl::StrReplaceAll(name, {{"_", " "}}), "."), static_cast<double>(count));
  }
  return text;
}

}  // namespace fs
