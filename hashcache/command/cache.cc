#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "hashcache/command/commands.h"
#include "hashcache/command/run.h"
#include "hashcache/manifest/manifest.h"
#include "hashcache/store/store.h"

namespace hashcache {
namespace {

// The filesystems that something is remembered of.
std::vector<std::string> StoreNames(const std::string& directory) {
  std::vector<std::string> names;
  DIR* const listing = opendir(directory.c_str());
  if (listing == nullptr) return names;
  while (const dirent* const entry = readdir(listing)) {
    const std::string name = entry->d_name;
    struct stat attributes;
    if (name[0] == '.' || name == "snapshots" || name == "status") continue;
    if (fstatat(dirfd(listing), entry->d_name, &attributes, 0) == 0 && S_ISDIR(attributes.st_mode)) {
      names.push_back(name);
    }
  }
  closedir(listing);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const Run& run, const std::string& name, int days) {
  return Store::Open(
      {.directory = base::JoinPath(run.cache_directory(), name), .filesystem_id = name, .entry_days_max = days});
}

absl::Status Stats(Run& run) {
  uint64_t records = 0, bytes = 0;
  for (const std::string& name : StoreNames(run.cache_directory())) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStore(run, name, 90));
    const StoreStats stats = store->Stats();
    records += stats.base_records + stats.journal_records;
    bytes += stats.bytes_on_disk;
    if (run.arguments().Has("json")) {
      run.Print(absl::StrCat("{\"filesystem\":", JsonString(IsUtf8(name) ? name : "?"),
                             ",\"generation\":", stats.generation, ",\"base_records\":", stats.base_records,
                             ",\"journal_records\":", stats.journal_records, ",\"bytes\":", stats.bytes_on_disk,
                             "}\n"));
      continue;
    }
    run.Print(absl::StrCat(name, ": ", Counted(stats.base_records + stats.journal_records, "file"), ", ",
                           base::HumanSize(stats.bytes_on_disk), ", generation ", stats.generation, "\n"));
  }
  run.Summary(
      {run.cache_directory(), absl::StrCat(Counted(records, "file"), " remembered"), base::HumanSize(bytes)});
  return absl::OkStatus();
}

absl::Status Verify(Run& run) {
  uint64_t records = 0;
  for (const std::string& name : StoreNames(run.cache_directory())) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStore(run, name, 90));
    StoreStats stats;
    const absl::Status status = store->Verify(&stats);
    records += stats.base_records + stats.journal_records;
    if (status.ok()) continue;
    run.Problem(name, status);
    run.Code(kCacheFault);
  }
  run.Summary({absl::StrCat(base::HumanCount(records), " records checked")});
  return absl::OkStatus();
}

absl::Status Collect(Run& run) {
  ASSIGN_OR_RETURN(const int64_t days, run.arguments().GetInt("days", 0, 36500));
  const bool all = run.arguments().Has("all");
  uint64_t before = 0, after = 0;
  for (const std::string& name : StoreNames(run.cache_directory())) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStore(run, name, static_cast<int>(days)));
    before += store->Stats().bytes_on_disk;
    const absl::Status status = store->Compact(all);
    if (!status.ok()) run.Problem(name, status);
    after += store->Stats().bytes_on_disk;
  }
  if (all) {
    for (const char* const name : {"snapshots", "status"}) {
      RETURN_IF_ERROR(base::RemoveTree(base::JoinPath(run.cache_directory(), name)));
    }
  }
  run.Summary({absl::StrCat(base::HumanSize(before), " before"), absl::StrCat(base::HumanSize(after), " after")});
  return absl::OkStatus();
}

}  // namespace

base::Command CacheCommand() {
  const auto sub = [](const char* name, const char* summary, std::vector<base::Flag> flags,
                      absl::Status (*work)(Run&)) {
    return base::Command{.name = name,
                         .summary = summary,
                         .flags = Join(std::move(flags), HasherFlags()),
                         .run = [work](const base::Arguments& arguments) { return WithRun(arguments, false, work); },
                         .usage_error_code = kUsage};
  };
  return {.name = "cache",
          .summary = "look after what is remembered",
          .subcommands = {sub("stats", "print how much is remembered of which filesystem",
                              {{.name = "json", .help = "a JSON object per filesystem"}}, Stats),
                          sub("verify", "check every record; exit code 4 if any is damaged", {}, Verify),
                          sub("gc", "forget what was not needed for a while and write the rest anew",
                              {{.name = "days", .value = "N", .help = "how long is a while", .fallback = "90"},
                               {.name = "all", .help = "forget everything"}},
                              Collect)},
          .examples = {{"hashcache cache stats", "where the cache is and how large"},
                       {"hashcache cache gc --all", "start afresh"}},
          .usage_error_code = kUsage};
}

}  // namespace hashcache
