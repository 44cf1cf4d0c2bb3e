// tools/bench batch: many small files stored durably, looked up, stat-ed and digested, by batch
// sessions and by plain calls, on cachefs, ext4 and btrfs.
//
// The rows and their gates: STORE with flush >= 5x ext4's create + sync, LOOKUP cold in random order
// >= 5x ext4, STAT and DIGEST of unchanged files >= 1,000,000 a second.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bench/bench.h"
#include "base/command_line.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/benchmark/bench_mount.h"
#include "fs/client/tree_client.h"

namespace fs {
namespace {

constexpr size_t kFileBytes = 4096;

struct Files {
  std::vector<std::string> paths;   // 100 in a directory
  std::vector<size_t> shuffled;     // indices of `paths`
  std::vector<std::string> data;    // a few different contents
  absl::string_view DataOf(size_t i) const { return data[i % data.size()]; }
};

Files MakeFiles(size_t count) {
  Files files;
  std::mt19937_64 random(1);
  for (size_t i = 0; i < count; ++i) files.paths.push_back(absl::StrCat("d", i / 100, "/f", i % 100));
  for (size_t i = 0; i < count; ++i) files.shuffled.push_back(i);
  std::shuffle(files.shuffled.begin(), files.shuffled.end(), random);
  for (int i = 0; i < 16; ++i) {
    std::string bytes(kFileBytes, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    files.data.push_back(std::move(bytes));
  }
  return files;
}

// --- plain calls, as a program without us would make them

absl::Status StorePlain(BenchMount& mount, const std::string& root, const Files& files) {
  for (size_t i = 0; i < files.paths.size(); ++i) {
    const std::string path = absl::StrCat(root, "/", files.paths[i]);
    if (i % 100 == 0) RETURN_IF_ERROR(base::MakeDirectories(std::string(base::DirectoryName(path))));
    ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
    RETURN_IF_ERROR(base::WriteFull(fd.get(), files.DataOf(i)));
  }
  return mount.Sync();
}

absl::Status LookupPlain(const std::string& root, const Files& files) {
  std::string buffer(kFileBytes, '\0');
  for (const size_t i : files.shuffled) {
    ASSIGN_OR_RETURN(const base::Fd fd, base::OpenFile(absl::StrCat(root, "/", files.paths[i]), O_RDONLY));
    ASSIGN_OR_RETURN(const size_t size, base::ReadFull(fd.get(), absl::MakeSpan(buffer.data(), buffer.size())));
    if (absl::string_view(buffer.data(), size) != files.DataOf(i)) return absl::DataLossError(files.paths[i]);
  }
  return absl::OkStatus();
}

absl::Status StatPlain(const std::string& root, const Files& files) {
  struct stat info;
  for (const size_t i : files.shuffled) {
    if (stat(absl::StrCat(root, "/", files.paths[i]).c_str(), &info) != 0) return base::ErrnoStatus(errno, "stat");
  }
  return absl::OkStatus();
}

// --- batches

absl::Status StoreBatch(TreeClient& client, const Files& files) {
  std::vector<StoreItem> items;
  for (size_t i = 0; i < files.paths.size(); ++i) items.push_back({.path = files.paths[i], .data = files.DataOf(i)});
  absl::Status first;
  RETURN_IF_ERROR(client.Store(items, {}, [&first](size_t, absl::StatusOr<bool> written) {
    first.Update(written.status());
    return first.ok();
  }));
  RETURN_IF_ERROR(first);
  return client.Flush();
}

std::vector<absl::string_view> Shuffled(const Files& files) {
  std::vector<absl::string_view> paths;
  for (const size_t i : files.shuffled) paths.push_back(files.paths[i]);
  return paths;
}

absl::Status LookupBatch(TreeClient& client, const Files& files, const std::vector<absl::string_view>& paths) {
  absl::Status first;
  RETURN_IF_ERROR(client.Lookup(paths, kFileBytes, [&](size_t i, absl::StatusOr<absl::string_view> data) {
    first.Update(data.status());
    if (data.ok() && *data != files.DataOf(files.shuffled[i])) first.Update(absl::DataLossError(paths[i]));
    return first.ok();
  }));
  return first;
}

absl::Status StatBatch(TreeClient& client, const std::vector<absl::string_view>& paths) {
  absl::Status first;
  RETURN_IF_ERROR(client.Stat(paths, [&first](size_t, absl::StatusOr<FileStat> stat) {
    first.Update(stat.status());
    return first.ok();
  }));
  return first;
}

absl::Status DigestBatch(TreeClient& client, const std::vector<absl::string_view>& paths) {
  absl::Status first;
  RETURN_IF_ERROR(client.Digest(paths, DigestKind::kCrc32c, [&first](size_t, absl::StatusOr<absl::string_view> raw) {
    first.Update(raw.status());
    return first.ok();
  }));
  return first;
}

// The contenders of one row: each mount's plain calls, then the batches of cachefs.
class BatchBench {
 public:
  BatchBench(base::Bench::Options options, Files files)
      : bench_(std::move(options)), files_(std::move(files)), shuffled_(Shuffled(files_)) {}

  absl::Status AddMount(const BenchMountOptions& options) {
    ASSIGN_OR_RETURN(std::unique_ptr<BenchMount> mount, BenchMount::Make(options));
    mounts_.push_back(std::move(mount));
    return absl::OkStatus();
  }

  absl::Status Run(absl::string_view filter) {
    std::vector<base::Contender> store, lookup, stat;
    for (const std::unique_ptr<BenchMount>& mount : mounts_) {
      BenchMount* const m = mount.get();
      const std::string name = MountKindName(m->kind());
      store.push_back({name, [this, m] { return Timed([&] { return StorePlain(*m, m->path() + "/plain", files_); }); },
                       [m] { return base::RemoveTree(m->path() + "/plain"); }});
      lookup.push_back({name, [this, m] { return Timed([&] { return LookupPlain(m->path() + "/plain", files_); }); },
                        [m] { return m->Remount(); }});
      stat.push_back({name, [this, m] { return Timed([&] { return StatPlain(m->path() + "/plain", files_); }); },
                      nullptr});
      if (m->kind() == MountKind::kCachefs) AddBatches(m, &store, &lookup, &stat);
    }
    bench_.Add({.name = "store 4 KiB files, durable", .unit = "file", .gate = 5}, std::move(store));
    bench_.Add({.name = "look up, cold, random order", .unit = "file", .gate = 5}, std::move(lookup));
    bench_.Add({.name = "stat, warm", .unit = "file"}, std::move(stat));
    if (digest_ != nullptr) bench_.Add({.name = "crc32c digest, unchanged", .unit = "file"}, {*digest_});
    return bench_.Run(filter);
  }

 private:
  absl::StatusOr<base::Measurement> Timed(const std::function<absl::Status()>& work) {
    ASSIGN_OR_RETURN(base::Measurement measured, base::Measure(work));
    measured.units = static_cast<double>(files_.paths.size());
    return measured;
  }

  void AddBatches(BenchMount* m, std::vector<base::Contender>* store, std::vector<base::Contender>* lookup,
                  std::vector<base::Contender>* stat) {
    const std::string root = m->path() + "/batch";
    const auto client = [root]() -> absl::StatusOr<std::unique_ptr<TreeClient>> {
      RETURN_IF_ERROR(base::MakeDirectories(root));
      ASSIGN_OR_RETURN(std::unique_ptr<TreeClient> made, TreeClient::ForPath(root));
      if ((made->capabilities() & kAtomicBatch) == 0) return absl::UnavailableError("no batch sessions on the mount");
      return made;
    };
    const auto with_client = [this, client](std::function<absl::Status(TreeClient&)> work) {
      return [this, client, work]() -> absl::StatusOr<base::Measurement> {
        ASSIGN_OR_RETURN(const std::unique_ptr<TreeClient> made, client());
        return Timed([&] { return work(*made); });
      };
    };
    store->push_back({"cachefs batch", with_client([this](TreeClient& c) { return StoreBatch(c, files_); }),
                      [root] { return base::RemoveTree(root); }});
    lookup->push_back({"cachefs batch",
                       with_client([this](TreeClient& c) { return LookupBatch(c, files_, shuffled_); }),
                       [m] { return m->Remount(); }});
    stat->push_back({"cachefs batch", with_client([this](TreeClient& c) { return StatBatch(c, shuffled_); }), nullptr});
    digest_ = std::make_unique<base::Contender>(base::Contender{
        "cachefs batch", with_client([this](TreeClient& c) { return DigestBatch(c, shuffled_); }), nullptr});
  }

  base::Bench bench_;
  const Files files_;
  const std::vector<absl::string_view> shuffled_;
  std::vector<std::unique_ptr<BenchMount>> mounts_;
  std::unique_ptr<base::Contender> digest_;
};

int Run(const base::Arguments& arguments) {
  const auto run = [&]() -> absl::Status {
    const bool tiny = arguments.Has("tiny");
    ASSIGN_OR_RETURN(const int64_t count, arguments.GetInt("files", 100, 10'000'000));
    ASSIGN_OR_RETURN(const int64_t runs, arguments.GetInt("runs", 1, 1000));
    const auto files = static_cast<size_t>(tiny ? 500 : count);
    BatchBench bench({.title = absl::StrCat("batch: ", files, " files of 4 KiB"), .runs = static_cast<int>(runs),
                      .tiny = tiny},
                     MakeFiles(files));
    std::string directory = base::JoinPath(arguments.Get("directory"), "cachefs-bench-XXXXXX");
    if (mkdtemp(directory.data()) == nullptr) return base::ErrnoStatus(errno, directory);
    const uint64_t size = std::max<uint64_t>(512 * base::kMiB, files * 40 * base::kKiB);
    for (const MountKind kind : {MountKind::kExt4, MountKind::kBtrfs, MountKind::kCachefs}) {
      const absl::Status added = bench.AddMount(
          {.kind = kind, .directory = directory, .size_bytes = size, .cachefs = arguments.Get("cachefs")});
      if (added.ok()) continue;
      base::PrintWarning("batch_bench", absl::StrCat(MountKindName(kind), " is left out: ", added.message()));
      if (kind == MountKind::kCachefs) return added;
    }
    const absl::Status status = bench.Run(arguments.Get("rows"));
    return status;
  };
  const absl::Status status = run();
  if (!status.ok()) base::PrintError("batch_bench", status.message());
  return status.ok() ? 0 : 1;
}

const base::Command& BenchCommand() {
  static const auto* const command = new base::Command{
      .name = "batch_bench",
      .summary = "measure batch sessions against plain calls, ext4 and btrfs",
      .flags = {{.name = "files", .value = "N", .help = "how many files", .fallback = "100000"},
                {.name = "runs", .value = "N", .help = "runs of each contender", .fallback = "5"},
                {.name = "rows", .value = "TEXT", .help = "only rows whose name contains this"},
                {.name = "directory", .value = "DIR", .help = "where images and mounts go", .fallback = "/var/tmp"},
                {.name = "cachefs", .value = "PROGRAM", .help = "the daemon", .fallback = "bazel-bin/fs/cachefs"},
                {.name = "tiny", .help = "one run with few files, to see that it works"}},
      .examples = {{"tools/bench batch --files 100000", "the full comparison; needs root"}},
      .run = Run};
  return *command;
}

}  // namespace
}  // namespace fs

int main(int argc, char** argv) { return base::RunCommand(fs::BenchCommand(), argc, argv); }
