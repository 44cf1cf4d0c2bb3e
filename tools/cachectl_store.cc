#include "tools/cachectl_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/os/file.h"
#include "base/os/progress.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/check.h"
#include "fs/cache/dump.h"
#include "fs/cache/raw_engine.h"
#include "fs/mount/raw_store.h"
#include "fs/volume/check.h"
#include "fs/volume/volume.h"

namespace tools {
namespace {

// fsck(8)'s.
constexpr int kFsckClean = 0;
constexpr int kFsckDamaged = 4;
constexpr int kFsckFailed = 8;
constexpr int kFsckUsage = 16;

int Fail(const base::Arguments& arguments, const absl::Status& status, int code = 1) {
  base::PrintError(arguments.full_name(), status.message());
  return code;
}

// The one positional argument.
absl::StatusOr<std::string> StoreOf(const base::Arguments& arguments) {
  if (arguments.positional().size() != 1) return absl::InvalidArgumentError("want STORE");
  return arguments.positional()[0];
}

const base::Flag kIoFlag = {.name = "io",
                            .value = "HOW",
                            .help = "how the device is driven",
                            .fallback = "auto",
                            .choices = {"auto", "uring", "threads"}};

// --- mkfs

absl::Status Mkfs(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string path, StoreOf(arguments));
  fs::FormatOptions options;
  options.path = path;
  options.force = arguments.Has("force");
  options.label = arguments.Get("label");
  options.write_all = arguments.Has("write-all");
  options.io = arguments.Get("io");
  if (arguments.Has("size")) {
    ASSIGN_OR_RETURN(options.size_bytes, arguments.GetSize("size"));
    if (access(path.c_str(), F_OK) == 0) {
      return absl::InvalidArgumentError(absl::StrCat("--size is for new images; ", path, " exists and keeps its size"));
    }
  }
  std::unique_ptr<base::Progress> progress;
  std::string phase;
  uint64_t shown = 0;
  options.progress = [&](const std::string& now, uint64_t done, uint64_t total) {
    if (progress == nullptr || now != phase) {
      progress.reset();
      progress = std::make_unique<base::Progress>(base::Progress::Options{
          .label = now, .unit = base::Progress::Unit::kBytes, .total = total, .quiet = arguments.Has("quiet")});
      phase = now;
      shown = 0;
    }
    progress->Add(done - shown);
    shown = done;
    return true;
  };
  RETURN_IF_ERROR(fs::FormatRawStore(options));
  progress.reset();
  if (!arguments.Has("quiet")) {
    ASSIGN_OR_RETURN(const auto device, fs::OpenRawDevice(path, {.io = options.io, .read_only = true}));
    printf("%s: a new cachefs volume on %s\n", path.c_str(), base::HumanSize(device->size_bytes()).c_str());
  }
  return absl::OkStatus();
}

int RunMkfs(const base::Arguments& arguments) {
  const absl::Status status = Mkfs(arguments);
  return status.ok() ? 0 : Fail(arguments, status);
}

// --- info

absl::Status Info(const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string path, StoreOf(arguments));
  ASSIGN_OR_RETURN(fs::Store store, fs::OpenRawStore({.path = path, .read_only = true, .io = arguments.Get("io")}));
  // OpenRawStore() makes no other engine.
  const fs::Superblock superblock = static_cast<fs::RawEngine&>(*store.engine).superblock();
  ASSIGN_OR_RETURN(const fs::VolumeStat stat, store.volume->Stat());
  const auto line = [](const char* name, const std::string& value) { printf("%-16s %s\n", name, value.c_str()); };
  const absl::string_view label(superblock.label.data(), strnlen(superblock.label.data(), superblock.label.size()));
  const std::string uuid = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(superblock.uuid.data()), superblock.uuid.size()));
  line("store", path);
  if (!label.empty()) line("label", absl::CHexEscape(label));
  line("uuid", absl::StrCat(uuid.substr(0, 8), "-", uuid.substr(8, 4), "-", uuid.substr(12, 4), "-", uuid.substr(16, 4),
                            "-", uuid.substr(20)));
  line("format", absl::StrCat("version ", superblock.format_version));
  line("made", absl::FormatTime(absl::FromUnixNanos(static_cast<int64_t>(superblock.created_ns))));
  line("device", base::HumanSize(superblock.device_bytes));
  line("size", base::HumanSize(stat.total_bytes));
  line("free", base::HumanSize(stat.free_bytes));
  line("available", base::HumanSize(stat.available_bytes));
  line("files", base::HumanCount(stat.files));
  line("log", base::HumanSize(superblock.log_bytes));
  line("tree", absl::StrCat(base::HumanCount(superblock.tree_pages), " pages of ",
                            base::HumanSize(superblock.page_bytes), ", ", superblock.tree_height, " levels"));
  line("chunks",
       absl::StrCat(base::HumanCount(superblock.chunk_count), " of ", base::HumanSize(superblock.chunk_bytes)));
  line("mounts", base::HumanCount(superblock.mount_epoch));
  line("last unmount", superblock.flags & fs::kCleanlyClosed ? "clean" : "not clean: the next mount replays the log");
  for (const std::string& note : store.notes) line("note", note);
  return store.Close();
}

int RunInfo(const base::Arguments& arguments) {
  const absl::Status status = Info(arguments);
  return status.ok() ? 0 : Fail(arguments, status);
}

// --- fsck

// Rules of the tree; what the engine below found wrong may keep this from being asked.
absl::StatusOr<size_t> CheckNames(fs::Device& device) {
  fs::EngineOptions options;
  options.read_only = true;
  ASSIGN_OR_RETURN(const std::unique_ptr<fs::RawEngine> engine, fs::OpenEngine(device, options));
  ASSIGN_OR_RETURN(const fs::TreeCheckReport report, fs::CheckTree(*engine));
  for (const fs::TreeProblem& problem : report.problems) printf("%s: %s\n", problem.rule.c_str(), problem.text.c_str());
  if (report.problem_count > report.problems.size()) {
    printf("and %zu more\n", static_cast<size_t>(report.problem_count - report.problems.size()));
  }
  printf("%s files, %s directories\n", base::HumanCount(report.files).c_str(),
         base::HumanCount(report.directories).c_str());
  RETURN_IF_ERROR(engine->Close());
  return report.problem_count;
}

absl::StatusOr<int> Fsck(const base::Arguments& arguments, bool read_data, bool quiet) {
  ASSIGN_OR_RETURN(const std::string path, StoreOf(arguments));
  ASSIGN_OR_RETURN(const auto device, fs::OpenRawDevice(path, {.io = arguments.Get("io"), .read_only = true}));
  base::Progress progress({.label = "checking", .unit = base::Progress::Unit::kBytes, .quiet = quiet});
  uint64_t shown = 0;
  fs::CheckOptions options;
  options.read_data = read_data;
  options.progress = [&](uint64_t done, uint64_t total) {
    progress.SetTotal(total);
    progress.Add(done - shown);
    shown = done;
  };
  ASSIGN_OR_RETURN(const fs::CheckReport report, fs::CheckVolume(*device, options));
  for (const fs::CheckFinding& finding : report.findings) {
    printf("%s%s: %s\n", finding.rule.empty() ? "device" : finding.rule.c_str(),
           finding.harmless ? " (harmless: repaired at the next mount)" : "", finding.message.c_str());
  }
  const absl::StatusOr<size_t> names = CheckNames(*device);
  if (!names.ok()) printf("tree: not checked: %s\n", std::string(names.status().message()).c_str());
  const bool sound = report.sound() && names.ok() && *names == 0;
  printf("%s: %s; %s pages, %s rows, %s of data%s\n", path.c_str(), sound ? "clean" : "DAMAGED",
         base::HumanCount(report.pages).c_str(), base::HumanCount(report.rows).c_str(),
         base::HumanSize(report.data_bytes).c_str(), read_data ? ", all read" : "");
  return sound ? kFsckClean : kFsckDamaged;
}

int RunFsck(const base::Arguments& arguments, bool read_data, bool quiet) {
  if (arguments.positional().size() != 1) {
    return Fail(arguments, absl::InvalidArgumentError("want STORE"), kFsckUsage);
  }
  const absl::StatusOr<int> code = Fsck(arguments, read_data, quiet);
  return code.ok() ? *code : Fail(arguments, code.status(), kFsckFailed);
}

// --- dump

int RunDump(const base::Arguments& arguments) {
  const absl::StatusOr<std::string> path = StoreOf(arguments);
  if (!path.ok()) return Fail(arguments, path.status(), 2);
  const auto device = fs::OpenRawDevice(*path, {.io = arguments.Get("io"), .read_only = true});
  if (!device.ok()) return Fail(arguments, device.status());
  fs::DumpOptions options;
  options.rows = arguments.Has("rows");
  options.records = arguments.Has("records");
  const absl::Status status = fs::DumpVolume(**device, options, [](absl::string_view line) {
    fwrite(line.data(), 1, line.size(), stdout);
    fputc('\n', stdout);
  });
  return status.ok() ? 0 : Fail(arguments, status);
}

const std::vector<base::ExitCode> kFsckCodes = {{kFsckClean, "nothing is wrong"},
                                                {kFsckDamaged, "something is wrong and was left as it is"},
                                                {kFsckFailed, "the store could not be checked"},
                                                {kFsckUsage, "the command line is wrong"}};

std::vector<base::Flag> MkfsFlags() {
  return {{.name = "size", .value = "SIZE", .help = "of a new image; without it 8 GiB or a quarter of the free space"},
          {.name = "label", .letter = 'L', .value = "TEXT", .help = "a name for people, up to 32 bytes"},
          {.name = "force", .letter = 'F', .help = "over whatever the store holds, which is lost"},
          {.name = "write-all", .help = "write every block of a new image now: slower here, faster at first use"},
          {.name = "quiet", .letter = 'q', .help = "no progress, no summary"},
          kIoFlag};
}

}  // namespace

std::vector<base::Command> StoreCommands() {
  return {
      {.name = "mkfs",
       .summary = "make an empty volume on a block device or in an image file",
       .arguments = "STORE",
       .description = "Makes the image file if there is none. Refuses a STORE that holds anything that somebody may "
                      "miss, and names it.",
       .flags = MkfsFlags(),
       .examples = {{"cachectl mkfs --size 64G build.img", "a new image"},
                    {"cachectl mkfs /dev/vdb", "a block device"}},
       .run = RunMkfs},
      {.name = "info",
       .summary = "what a volume is and how full",
       .arguments = "STORE",
       .description = "STORE must not be mounted; of a mount, see cachectl stats.",
       .flags = {kIoFlag},
       .examples = {{"cachectl info build.img", "label, sizes, files, how it was left"}},
       .run = RunInfo},
      {.name = "fsck",
       .summary = "check a volume against every rule of its format; never writes",
       .arguments = "STORE",
       .description = "Names each broken rule of fs/format/FORMAT.md, with its place. STORE must not be mounted.",
       .flags = {{.name = "data", .help = "read all file data as well and verify its checksums"},
                 {.name = "quiet", .letter = 'q', .help = "no progress"},
                 kIoFlag},
       .examples = {{"cachectl fsck build.img", "check the structure"},
                    {"cachectl fsck --data /dev/vdb", "check every byte"}},
       .exit_codes = kFsckCodes,
       .run =
           [](const base::Arguments& arguments) {
             return RunFsck(arguments, arguments.Has("data"), arguments.Has("quiet"));
           },
       .usage_error_code = kFsckUsage},
      {.name = "dump",
       .summary = "print superblocks, log, pages and chunks as text; never writes",
       .arguments = "STORE",
       .description = "Goes on past damage, and prints the checksum that should be there.",
       .flags = {{.name = "rows", .help = "every row of the tree"},
                 {.name = "records", .help = "every record of the log"},
                 kIoFlag},
       .examples = {{"cachectl dump build.img | less", "have a look"}},
       .run = RunDump},
  };
}

base::Command MkfsHelperCommand() {
  std::vector<base::Flag> flags = MkfsFlags();
  flags.push_back({.name = "verbose", .letter = 'v', .help = "ignored"});
  flags.push_back({.name = "type", .letter = 't', .value = "TYPE", .help = "ignored"});
  return {.name = "mkfs.cachefs",
          .summary = "make an empty cachefs volume",
          .arguments = "STORE",
          .flags = std::move(flags),
          .examples = {{"mkfs -t cachefs /dev/vdb", "how mkfs(8) gets here"}},
          .run = RunMkfs};
}

base::Command FsckHelperCommand() {
  return {.name = "fsck.cachefs",
          .summary = "check a cachefs volume; never writes",
          .arguments = "STORE",
          .flags = {{.name = "auto", .letter = 'a', .help = "ignored: nothing needs repair that a mount would not do"},
                    {.name = "preen", .letter = 'p', .help = "ignored, as -a"},
                    {.name = "yes", .letter = 'y', .help = "ignored, as -a"},
                    {.name = "no", .letter = 'n', .help = "ignored: nothing is ever written"},
                    {.name = "force", .letter = 'f', .help = "read all file data as well"},
                    {.name = "verbose", .letter = 'V', .help = "ignored"},
                    {.name = "progress", .letter = 'C', .value = "FD", .help = "ignored"},
                    kIoFlag},
          .examples = {{"fsck -t cachefs /dev/vdb", "how fsck(8) gets here"}},
          .exit_codes = kFsckCodes,
          .run = [](const base::Arguments& arguments) { return RunFsck(arguments, arguments.Has("force"), true); },
          .usage_error_code = kFsckUsage};
}

}  // namespace tools
