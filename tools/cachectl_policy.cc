#include "tools/cachectl_policy.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/mount/statistics.h"
#include "fs/volume/policy.h"
#include "tools/mount_paths.h"

namespace tools {
namespace {

constexpr char kPrefix[] = "user.cachefs.";
const std::vector<std::string>& Fields() {
  static const auto& fields = *new std::vector<std::string>{"policy", "quota", "ttl", "compress", "digest"};
  return fields;
}

int Fail(const base::Arguments& arguments, const absl::Status& status) {
  base::PrintError(arguments.full_name(), status.message());
  return 1;
}

absl::StatusOr<std::string> DirectoryOf(const base::Arguments& arguments) {
  if (arguments.positional().empty()) return absl::InvalidArgumentError("want DIRECTORY");
  const std::string& path = arguments.positional()[0];
  RETURN_IF_ERROR(MountOf(path).status());
  struct stat st {};
  if (stat(path.c_str(), &st) != 0) return base::ErrnoStatus(errno, path);
  if (!S_ISDIR(st.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, " is no directory; policies are theirs"));
  return path;
}

// None if the field is set neither here nor above.
absl::StatusOr<absl::optional<std::string>> ReadField(const std::string& path, absl::string_view field) {
  char value[256];
  const ssize_t size = getxattr(path.c_str(), absl::StrCat(kPrefix, field).c_str(), value, sizeof value);
  if (size >= 0) return absl::optional<std::string>(std::string(value, static_cast<size_t>(size)));
  if (errno == ENODATA) return absl::optional<std::string>();
  return base::ErrnoStatus(errno, absl::StrCat("the ", field, " of ", path));
}

// The fields that were set on the directory itself.
std::set<std::string> FieldsSetOn(const std::string& path) {
  std::string names(64 << 10, '\0');
  const ssize_t size = listxattr(path.c_str(), names.data(), names.size());
  names.resize(size < 0 ? 0 : static_cast<size_t>(size));
  std::set<std::string> fields;
  for (const absl::string_view name : absl::StrSplit(names, '\0', absl::SkipEmpty())) {
    if (absl::StartsWith(name, kPrefix)) fields.emplace(name.substr(sizeof kPrefix - 1));
  }
  return fields;
}

// --- get

absl::Status Get(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string path, DirectoryOf(arguments));
  if (arguments.positional().size() > 1) return absl::InvalidArgumentError("want one DIRECTORY");
  const std::set<std::string> own = FieldsSetOn(path);
  for (const std::string& field : Fields()) {
    ASSIGN_OR_RETURN(const absl::optional<std::string> value, ReadField(path, field));
    if (arguments.Has("raw")) {
      if (value.has_value()) printf("%s=%s\n", field.c_str(), value->c_str());
      continue;
    }
    const std::string text = value.has_value() ? HumanField(field, *value) : field == "policy" ? "keep" : "none";
    printf("%-10s %-20s %s\n", field.c_str(), text.c_str(),
           !value.has_value() ? "by default" : own.count(field) != 0 ? "set here" : "inherited");
  }
  ASSIGN_OR_RETURN(const absl::optional<std::string> usage, ReadField(path, "usage"));
  if (usage.has_value() && !arguments.Has("raw")) {
    printf("%-10s %s\n", "usage", HumanField("usage", *usage).c_str());
  }
  return absl::OkStatus();
}

// --- set

absl::Status SetField(const std::string& path, const std::string& field, const std::string& value) {
  const std::string name = kPrefix + field;
  const int result = value.empty() ? removexattr(path.c_str(), name.c_str())
                                   : setxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0);
  if (result == 0) return absl::OkStatus();
  if (errno == ENODATA) return absl::NotFoundError(absl::StrCat(field, " is not set on ", path, " itself"));
  if (errno == EPERM || errno == EACCES) {
    return absl::PermissionDeniedError(absl::StrCat("only the owner of ", path, " and root may set its ", field));
  }
  return base::ErrnoStatus(errno, absl::StrCat("setting ", field, " of ", path, " to ", value));
}

absl::Status Set(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string path, DirectoryOf(arguments));
  const std::vector<std::string> words(arguments.positional().begin() + 1, arguments.positional().end());
  if (words.empty()) return absl::InvalidArgumentError("want FIELD=VALUE, such as policy=lru quota=10G");
  // All are checked before the first is set.
  ASSIGN_OR_RETURN(const auto assignments, ParseAssignments(words));
  for (const auto& [field, value] : assignments) RETURN_IF_ERROR(SetField(path, field, value));
  return absl::OkStatus();
}

// --- usage

absl::Status Usage(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::vector<std::string> paths, PathsOrAllMounts(arguments.positional()));
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const fs::MountEntry mount, MountOf(path));
    ASSIGN_OR_RETURN(const fs::Statistics statistics, fs::ReadStatistics(mount.mount_point));
    if (paths.size() > 1) printf("%s:\n", mount.mount_point.c_str());
    fputs(PolicyTable(statistics).c_str(), stdout);
  }
  return absl::OkStatus();
}

template <absl::Status (*kDo)(const base::Arguments&)>
int Run(const base::Arguments& arguments) {
  const absl::Status status = kDo(arguments);
  return status.ok() ? 0 : Fail(arguments, status);
}

}  // namespace

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ParseAssignments(
    const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> assignments;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("\"", word, "\" is not FIELD=VALUE"));
    }
    std::string field = word.substr(0, equals), value = word.substr(equals + 1);
    if (!fs::IsPolicyField(field)) {
      const std::string nearest = base::NearestWord(field, Fields());
      return absl::InvalidArgumentError(absl::StrCat("there is no field \"", field, "\"; ",
                                                     nearest.empty() ? absl::StrCat("there are ", absl::StrJoin(Fields(), ", "))
                                                                     : absl::StrCat("did you mean ", nearest, "?")));
    }
    fs::PolicyRow row;
    if (!value.empty()) RETURN_IF_ERROR(fs::SetPolicyField(&row, field, value));
    for (const auto& [other, unused] : assignments) {
      if (other == field) return absl::InvalidArgumentError(absl::StrCat(field, " is given twice"));
    }
    assignments.emplace_back(std::move(field), std::move(value));
  }
  return assignments;
}

std::string HumanField(const std::string& field, const std::string& value) {
  uint64_t number = 0;
  if (field == "usage") {
    const std::vector<std::string> parts = absl::StrSplit(value, ' ');
    uint64_t bytes = 0;
    if (parts.size() == 2 && absl::SimpleAtoi(parts[0], &number) && absl::SimpleAtoi(parts[1], &bytes)) {
      return absl::StrCat(base::HumanSize(bytes), " in ", base::HumanCount(number), " files and directories");
    }
  }
  if (field == "quota" && absl::SimpleAtoi(value, &number)) return number == 0 ? "none" : base::HumanSize(number);
  if (field == "ttl" && absl::SimpleAtoi(value, &number)) {
    return number == 0 ? "none" : base::HumanDuration(absl::Seconds(static_cast<int64_t>(number)));
  }
  return value;
}

std::string PolicyTable(const fs::Statistics& statistics) {
  std::string text = absl::StrFormat("%-7s %10s %10s %5s %10s %8s %10s  %s\n", "kind", "used", "quota", "full", "files",
                                     "hits", "evicted", "directory");
  for (const fs::Statistics::Policy& policy : statistics.policies()) {
    const bool limited = policy.quota_bytes() != 0;
    const double full = limited ? static_cast<double>(policy.bytes()) / static_cast<double>(policy.quota_bytes()) : 0;
    absl::StrAppendFormat(&text, "%-7s %10s %10s %5s %10s %8s %10s  %s\n", policy.kind(),
                          base::HumanSize(policy.bytes()), limited ? base::HumanSize(policy.quota_bytes()) : "-",
                          limited ? absl::StrFormat("%.0f%%", full * 100) : "-", base::HumanCount(policy.files()),
                          policy.lookups() == 0 ? "-" : absl::StrFormat("%.1f%%", policy.hit_ratio() * 100),
                          base::HumanCount(policy.evicted_files()), policy.directory());
  }
  return text;
}

base::Command PolicyCommand() {
  return {.name = "policy",
          .summary = "what directories keep, for how long and how much",
          .description =
              "A policy holds for a directory and all below it: keep (the default), lru or fifo; a quota, beyond which "
              "keep refuses and the others make room; a time to live; compression; digests to compute unasked.",
          .subcommands = {
              {.name = "get",
               .summary = "print what holds in a directory",
               .arguments = "DIRECTORY",
               .flags = {{.name = "raw", .help = "as FIELD=VALUE, for `cachectl policy set`"}},
               .examples = {{"cachectl policy get /mnt/cache", "all fields, and where they come from"}},
               .run = Run<Get>},
              {.name = "set",
               .summary = "set fields of a directory's policy",
               .arguments = "DIRECTORY FIELD=VALUE...",
               .description = "Fields: policy (keep, lru, fifo), quota (10G), ttl (7d), compress (none, lz4, zstd), "
                              "digest (none, or a list of crc32c, xxh3, blake3, sha256). An empty value takes the "
                              "field away. What is there already counts; a cache over its new quota gives way at once.",
               .examples = {{"cachectl policy set /mnt/cache policy=lru quota=10G ttl=7d", "a bounded cache"},
                            {"cachectl policy set /mnt/cache ttl=", "entries do not expire any more"}},
               .run = Run<Set>},
              {.name = "usage",
               .summary = "what every policy of a mount allows and uses",
               .arguments = "[MOUNT]...",
               .examples = {{"cachectl policy usage", "of every cachefs mount"}},
               .run = Run<Usage>}}};
}

}  // namespace tools
