#include "tools/cachectl_watch.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "base/os/file.h"
#include "base/os/interrupt.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/mount/raw_store.h"
#include "fs/mount/statistics.h"
#include "fs/volume/space_map.h"
#include "nlohmann/json.hpp"
#include "tools/chrome_trace.h"
#include "tools/mount_paths.h"
#include "tools/space_map_svg.h"
#include "tools/statistics_delta.h"

namespace tools {
namespace {

constexpr int kHeadEvery = 20;  // lines of a watch
constexpr absl::Duration kTraceInterval = absl::Milliseconds(200);
constexpr absl::Duration kFollowInterval = absl::Milliseconds(500);

// False if Ctrl-C came meanwhile.
bool Wait(absl::Duration duration) {
  pollfd interrupt = {base::InterruptFd(), POLLIN, 0};
  poll(&interrupt, 1, static_cast<int>(absl::ToInt64Milliseconds(duration)));
  return base::Interrupted() == 0;
}

absl::StatusOr<absl::Duration> DurationOf(const base::Arguments& arguments, absl::string_view flag) {
  const absl::StatusOr<absl::Duration> duration = base::ParseDuration(arguments.Get(flag));
  if (duration.ok() && *duration >= absl::Milliseconds(100) && *duration <= absl::Hours(1)) return duration;
  return absl::InvalidArgumentError(absl::StrCat("--", flag, " wants a time from 100ms to 1h"));
}

absl::Status WriteTo(const base::Arguments& arguments, const std::string& text) {
  const std::string path = arguments.Get("output");
  if (path == "-") {
    fputs(text.c_str(), stdout);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(base::ReplaceFile(path, text, {}));
  return absl::OkStatus();
}

// --- stats

std::string Render(const base::Arguments& arguments, const fs::Statistics& statistics) {
  if (arguments.Has("json")) return fs::StatisticsJson(statistics);
  if (arguments.Has("prometheus")) return fs::StatisticsPrometheus(statistics);
  return fs::StatisticsTable(statistics);
}

absl::Status Watch(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const absl::Duration interval, DurationOf(arguments, "watch"));
  ASSIGN_OR_RETURN(const int64_t count_max, arguments.GetInt("count", 0, INT64_MAX));
  ASSIGN_OR_RETURN(const std::string path, PathOrOnlyMount(arguments.positional()));
  ASSIGN_OR_RETURN(const fs::MountEntry mount, MountOf(path));
  ASSIGN_OR_RETURN(fs::Statistics before, fs::ReadStatistics(mount.mount_point));
  base::TakeInterrupts();
  for (int64_t count = 0; (count_max == 0 || count < count_max) && Wait(interval); ++count) {
    ASSIGN_OR_RETURN(fs::Statistics now, fs::ReadStatistics(mount.mount_point));
    if (arguments.Has("json") || arguments.Has("prometheus")) {
      fputs(Render(arguments, now).c_str(), stdout);
    } else {
      if (count % kHeadEvery == 0) puts(WatchHead().c_str());
      puts(WatchLine(before, now).c_str());
    }
    fflush(stdout);
    before = std::move(now);
  }
  return absl::OkStatus();
}

absl::Status Stats(const base::Arguments& arguments) {
  if (arguments.Has("watch")) return Watch(arguments);
  ASSIGN_OR_RETURN(const std::vector<std::string> paths, PathsOrAllMounts(arguments.positional()));
  bool first = true;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const fs::MountEntry mount, MountOf(path));
    ASSIGN_OR_RETURN(const fs::Statistics statistics, fs::ReadStatistics(mount.mount_point));
    if (!first && !arguments.Has("json") && !arguments.Has("prometheus")) puts("");
    fputs(Render(arguments, statistics).c_str(), stdout);
    first = false;
  }
  return absl::OkStatus();
}

// --- events

absl::Status Events(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string path, PathOrOnlyMount(arguments.positional()));
  ASSIGN_OR_RETURN(const fs::MountEntry mount, MountOf(path));
  base::TakeInterrupts();
  uint64_t seen = 0;
  do {
    ASSIGN_OR_RETURN(const std::string text,
                     fs::ReadControlText(mount.mount_point, seen == 0 ? "events" : absl::StrCat("events@", seen)));
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      const nlohmann::json event = nlohmann::json::parse(line.begin(), line.end(), nullptr, false);
      if (event.is_object() && event.contains("number") && event["number"].is_number_unsigned()) {
        seen = event["number"].get<uint64_t>();
      }
      puts(arguments.Has("json") ? std::string(line).c_str() : EventLine(line).c_str());
    }
    fflush(stdout);
  } while (arguments.Has("follow") && Wait(kFollowInterval));
  return absl::OkStatus();
}

// --- map

absl::StatusOr<fs::SpaceMap> MapOf(const std::string& path) {
  if (const absl::StatusOr<fs::MountEntry> mount = MountOf(path); mount.ok()) {
    ASSIGN_OR_RETURN(const std::string json, fs::ReadControlText(mount->mount_point, "map"));
    return fs::ParseSpaceMap(json);
  }
  ASSIGN_OR_RETURN(fs::Store store, fs::OpenRawStore({.path = path, .read_only = true, .io = "auto"}));
  ASSIGN_OR_RETURN(fs::SpaceMap map, fs::MapSpace(*store.raw_engine, *store.volume));
  RETURN_IF_ERROR(store.Close());
  return map;
}

absl::Status Map(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string path, PathOrOnlyMount(arguments.positional()));
  ASSIGN_OR_RETURN(const fs::SpaceMap map, MapOf(path));
  return WriteTo(arguments, arguments.Has("json") ? fs::SpaceMapJson(map)
                                                  : SpaceMapSvg(map, absl::StrCat("cachefs: ", path)));
}

// --- trace

absl::Status Trace(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const absl::Duration duration, DurationOf(arguments, "for"));
  ASSIGN_OR_RETURN(const std::string path, PathOrOnlyMount(arguments.positional()));
  ASSIGN_OR_RETURN(const fs::MountEntry mount, MountOf(path));
  base::TakeInterrupts();
  TraceCollector collector;
  const absl::Time end = absl::Now() + duration;
  // The first reading switches it on.
  for (bool more = true; more;) {
    const std::string name = collector.last_number() == 0 ? "trace" : absl::StrCat("trace@", collector.last_number());
    ASSIGN_OR_RETURN(const std::string text, fs::ReadControlText(mount.mount_point, name));
    RETURN_IF_ERROR(collector.Add(text));
    more = absl::Now() < end && Wait(std::min(kTraceInterval, std::max(absl::Milliseconds(1), end - absl::Now())));
  }
  if (collector.missed() > 0) {
    base::PrintWarning(arguments.full_name(),
                       absl::StrCat(base::HumanCount(collector.missed()), " events came too fast and are missing"));
  }
  RETURN_IF_ERROR(WriteTo(arguments, ChromeTrace(collector.events(), mount.mount_point)));
  if (arguments.Get("output") != "-") {
    fprintf(stderr, "%s: %s events\n", arguments.Get("output").c_str(),
            base::HumanCount(collector.events().size()).c_str());
  }
  return absl::OkStatus();
}

template <absl::Status (*kDo)(const base::Arguments&)>
int Run(const base::Arguments& arguments) {
  const absl::Status status = kDo(arguments);
  if (status.ok()) return 0;
  base::PrintError(arguments.full_name(), status.message());
  return 1;
}

}  // namespace

std::string WatchHead() {
  return absl::StrFormat("%9s %9s %9s %9s %9s %7s %7s %9s %8s", "requests", "read/s", "written/s", "device/s", "commits",
                         "buffer", "blocks", "p99", "evicted");
}

std::string WatchLine(const fs::Statistics& before, const fs::Statistics& now) {
  const StatisticsDelta delta = DeltaOf(before, now);
  const auto ratio = [](absl::optional<double> value) {
    return value.has_value() ? absl::StrFormat("%.0f%%", *value * 100) : std::string("-");
  };
  const auto per_second = [](double bytes) { return base::HumanSize(static_cast<uint64_t>(bytes)); };
  return absl::StrFormat(
      "%7.0f/s %9s %9s %9s %7.1f/s %7s %7s %9s %8s", delta.requests_per_second,
      per_second(delta.read_bytes_per_second), per_second(delta.user_bytes_per_second),
      per_second(delta.device_bytes_per_second), delta.commits_per_second, ratio(delta.buffer_hit_ratio),
      ratio(delta.block_hit_ratio), base::HumanDuration(absl::Seconds(delta.request_p99_seconds)),
      base::HumanCount(delta.evicted_files));
}

std::string EventLine(absl::string_view json) {
  const nlohmann::json event = nlohmann::json::parse(json.begin(), json.end(), nullptr, false);
  const auto text = [&event](const char* name) {
    return event.contains(name) && event[name].is_string() ? event[name].get<std::string>() : std::string();
  };
  if (!event.is_object() || text("kind").empty()) return std::string(json);
  std::string line = absl::StrFormat("%s  %-8s", text("time"), text("kind"));
  // What a file is called must not move the terminal's cursor.
  if (!text("path").empty()) absl::StrAppend(&line, "  /", absl::Utf8SafeCHexEscape(text("path")));
  if (event.contains("size_bytes") && event["size_bytes"].is_number_unsigned()) {
    absl::StrAppend(&line, "  ", base::HumanSize(event["size_bytes"].get<uint64_t>()));
  }
  if (!text("message").empty()) absl::StrAppend(&line, "  ", absl::Utf8SafeCHexEscape(text("message")));
  return line;
}

std::vector<base::Command> WatchCommands() {
  const base::Flag output = {.name = "output", .letter = 'o', .value = "FILE", .help = "where to; - is stdout"};
  const auto output_to = [&output](const char* fallback) {
    base::Flag flag = output;
    flag.fallback = fallback;
    return flag;
  };
  return {
      {.name = "stats",
       .summary = "what a running mount has done and holds",
       .arguments = "[MOUNT]...",
       .description = "Without MOUNT, of every cachefs mount. Any path on a mount stands for it. With --watch, what "
                      "has happened in each interval: requests, bytes read and given to write, bytes written to the "
                      "device, commits, hits in the write buffer and among cached blocks, the 99th percentile of the "
                      "requests, evictions.",
       .flags = {{.name = "json", .help = "as JSON"},
                 {.name = "prometheus", .help = "in the text format of Prometheus"},
                 {.name = "watch", .letter = 'w', .value = "TIME", .help = "again each TIME, until Ctrl-C", .fallback = "1s"},
                 {.name = "count", .letter = 'n', .value = "N", .help = "with --watch, this often; 0 = without end",
                  .fallback = "0"}},
       .examples = {{"cachectl stats /mnt", "a table"},
                    {"cachectl stats --watch 1s /mnt", "a line each second"},
                    {"cachectl stats --prometheus", "for node_exporter's textfiles"}},
       .run = Run<Stats>},
      {.name = "events",
       .summary = "what happened on a mount unasked: evictions, expiries, errors",
       .arguments = "[MOUNT]",
       .description = "The newest few thousand since the mount. For root and the daemon's user, since it names files.",
       .flags = {{.name = "follow", .letter = 'f', .help = "go on with what comes, until Ctrl-C"},
                 {.name = "json", .help = "one JSON object a line"}},
       .examples = {{"cachectl events -f /mnt", "see what is evicted as it goes"}},
       .run = Run<Events>},
      {.name = "map",
       .summary = "draw what lies where on a device",
       .arguments = "[MOUNT|STORE]",
       .description = "A square for each chunk of the device: its colour says what it holds, its filling how full it "
                      "is, its frame how often it was read since the mount; and a bar for each directory.",
       .flags = {output_to("map.svg"), {.name = "json", .help = "the numbers instead of the picture"}},
       .examples = {{"cachectl map -o map.svg /mnt", "of a mount"}, {"cachectl map build.img", "of a store at rest"}},
       .run = Run<Map>},
      {.name = "trace",
       .summary = "record requests, batches and commits for chrome://tracing or Perfetto",
       .arguments = "[MOUNT]",
       .description = "The daemon records only while this runs. For root and the daemon's user.",
       .flags = {output_to("trace.json"),
                 {.name = "for", .value = "TIME", .help = "how long", .fallback = "5s"}},
       .examples = {{"cachectl trace -o trace.json --for 10s /mnt", "ten seconds of a mount"}},
       .run = Run<Trace>},
  };
}

}  // namespace tools
