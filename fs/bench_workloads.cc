#include "fs/bench_workloads.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/os/file.h"
#include "base/status.h"
#include "base/status_macros.h"

namespace fs {
namespace {

constexpr uint64_t kSmallBytes = 4096;
constexpr uint64_t kFilesPerDirectory = 100;
constexpr size_t kTransferBytes = 1 << 20;

std::string FilesRoot(const Peer& peer) { return peer.root() + "/files"; }

std::string FilePath(const Peer& peer, uint64_t i) {
  return absl::StrCat(FilesRoot(peer), "/", i / kFilesPerDirectory, "/f", i);
}

absl::Status Failed(const char* what, const std::string& path) {
  return base::ErrnoStatus(errno, absl::StrCat(what, " ", path));
}

std::string SmallText(uint64_t i) {
  std::string text(kSmallBytes, static_cast<char>('a' + i % 26));
  const std::string number = absl::StrCat(i);
  text.replace(0, number.size(), number);
  return text;
}

// --- small files

absl::Status WriteFiles(Peer& peer, uint64_t count) {
  RETURN_IF_ERROR(base::MakeDirectories(FilesRoot(peer)));
  for (uint64_t i = 0; i < count; ++i) {
    if (i % kFilesPerDirectory == 0) {
      RETURN_IF_ERROR(base::MakeDirectories(std::string(base::DirectoryName(FilePath(peer, i)))));
    }
    const std::string path = FilePath(peer, i);
    const base::Fd file(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
    if (!file.valid()) return Failed("create", path);
    RETURN_IF_ERROR(base::WriteFull(file.get(), SmallText(i)));
  }
  return MakeDurable(peer.root());
}

absl::Status RemoveFiles(Peer& peer, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const std::string path = FilePath(peer, i);
    if (unlink(path.c_str()) != 0) return Failed("unlink", path);
  }
  return MakeDurable(peer.root());
}

absl::Status HaveFiles(Peer& peer, uint64_t count) {
  if (access(FilePath(peer, count - 1).c_str(), F_OK) == 0) return absl::OkStatus();
  RETURN_IF_ERROR(base::RemoveTree(FilesRoot(peer)));
  return WriteFiles(peer, count);
}

absl::Status ReadFiles(Peer& peer, const std::vector<uint64_t>& order) {
  char bytes[kSmallBytes + 1];
  for (const uint64_t i : order) {
    const std::string path = FilePath(peer, i);
    const base::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return Failed("open", path);
    if (read(file.get(), bytes, sizeof bytes) != static_cast<ssize_t>(kSmallBytes)) return Failed("read", path);
    if (absl::string_view(bytes, kSmallBytes) != SmallText(i)) return absl::DataLossError("wrong data in " + path);
  }
  return absl::OkStatus();
}

absl::Status StatAll(Peer& peer, uint64_t count) {
  uint64_t seen = 0;
  for (uint64_t d = 0; d <= (count - 1) / kFilesPerDirectory; ++d) {
    const std::string path = absl::StrCat(FilesRoot(peer), "/", d);
    DIR* const directory = opendir(path.c_str());
    if (directory == nullptr) return Failed("opendir", path);
    while (const dirent* entry = readdir(directory)) {
      struct stat st {};
      if (fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) ++seen;
    }
    closedir(directory);
  }
  return seen == count ? absl::OkStatus() : absl::DataLossError("files are missing");
}

// --- one file

absl::Status WriteLarge(Peer& peer, uint64_t bytes) {
  const std::string path = peer.root() + "/large";
  const base::Fd file(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644));
  if (!file.valid()) return Failed("create", path);
  const std::string block(kTransferBytes, 'L');
  for (uint64_t done = 0; done < bytes; done += block.size()) RETURN_IF_ERROR(base::WriteFull(file.get(), block));
  return fsync(file.get()) == 0 ? absl::OkStatus() : Failed("fsync", path);
}

absl::Status ReadLarge(Peer& peer, uint64_t bytes) {
  const std::string path = peer.root() + "/large";
  ASSIGN_OR_RETURN(const base::Fd file, base::OpenFile(path, O_RDONLY));
  std::string block(kTransferBytes, '\0');
  uint64_t seen = 0;
  while (true) {
    const ssize_t got = read(file.get(), block.data(), block.size());
    if (got < 0) return Failed("read", path);
    if (got == 0) break;
    if (block[0] != 'L') return absl::DataLossError("wrong data in " + path);
    seen += static_cast<uint64_t>(got);
  }
  return seen == bytes ? absl::OkStatus() : absl::DataLossError("the file is short");
}

absl::Status Append(Peer& peer, uint64_t count) {
  const std::string path = peer.root() + "/log";
  const base::Fd file(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0644));
  if (!file.valid()) return Failed("create", path);
  const std::string record(1024, 'r');
  for (uint64_t i = 0; i < count; ++i) RETURN_IF_ERROR(base::WriteFull(file.get(), record));
  return fsync(file.get()) == 0 ? absl::OkStatus() : Failed("fsync", path);
}

absl::Status SyncEach(Peer& peer, uint64_t count) {
  const std::string path = peer.root() + "/synced";
  const base::Fd file(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644));
  if (!file.valid()) return Failed("create", path);
  for (uint64_t i = 0; i < count; ++i) {
    RETURN_IF_ERROR(base::PWriteFull(file.get(), SmallText(i), i % 64 * kSmallBytes));
    if (fdatasync(file.get()) != 0) return Failed("fdatasync", path);
  }
  return absl::OkStatus();
}

// Writes a file over and over, without ever waiting for the disk itself.
class StreamingWriter {
 public:
  StreamingWriter(const Peer& peer, uint64_t bytes)
      : thread_([this, path = peer.root() + "/stream", bytes] { status_ = Stream(path, bytes); }) {}
  absl::Status Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    return status_;
  }
  ~StreamingWriter() {
    if (const absl::Status status = Stop(); !status.ok()) fprintf(stderr, "%s\n", status.ToString().c_str());
  }

 private:
  absl::Status Stream(const std::string& path, uint64_t bytes) {
    const base::Fd file(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    if (!file.valid()) return Failed("create", path);
    const std::string block(kTransferBytes, 'S');
    for (uint64_t done = 0; !stopping_; done = (done + block.size()) % bytes) {
      RETURN_IF_ERROR(base::PWriteFull(file.get(), block, done));
    }
    return absl::OkStatus();
  }
  std::atomic<bool> stopping_{false};
  absl::Status status_;  // the thread's until it has been joined
  std::thread thread_;
};

// The 99th percentile of write + fsync of 4 KiB while another file is being streamed to.
absl::StatusOr<base::Measurement> SyncBesideStream(Peer& peer, uint64_t count, uint64_t stream_bytes) {
  StreamingWriter writer(peer, stream_bytes);
  const std::string path = peer.root() + "/beside";
  const base::Fd file(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644));
  if (!file.valid()) return Failed("create", path);
  std::vector<double> seconds;
  ASSIGN_OR_RETURN(base::Measurement measurement, base::Measure([&]() -> absl::Status {
                     for (uint64_t i = 0; i < count; ++i) {
                       const int64_t start = base::Clock::Real().MonotonicNs();
                       RETURN_IF_ERROR(base::PWriteFull(file.get(), SmallText(i), i % 64 * kSmallBytes));
                       if (fsync(file.get()) != 0) return Failed("fsync", path);
                       seconds.push_back(static_cast<double>(base::Clock::Real().MonotonicNs() - start) / 1e9);
                     }
                     return absl::OkStatus();
                   }));
  RETURN_IF_ERROR(writer.Stop());
  std::sort(seconds.begin(), seconds.end());
  measurement.wall_seconds = seconds[(seconds.size() * 99 - 1) / 100];
  printf("  %s: fsync beside a stream: median %.1f ms, 99 %% %.1f ms, worst %.1f ms\n", peer.name().c_str(),
         1e3 * seconds[seconds.size() / 2], 1e3 * measurement.wall_seconds, 1e3 * seconds.back());
  return measurement;
}

// A program of `count` sources and as many headers, each source including some.
absl::Status WriteSources(Peer& peer, uint64_t count) {
  const std::string root = peer.root() + "/sources";
  RETURN_IF_ERROR(base::RemoveTree(root));
  RETURN_IF_ERROR(base::MakeDirectories(root));
  std::string makefile = "program:";
  for (uint64_t i = 0; i < count; ++i) absl::StrAppend(&makefile, " s", i, ".o");
  absl::StrAppend(&makefile, "\n\tcc -o $@ $^\n%.o: %.c\n\tcc -c -o $@ $<\n");
  for (uint64_t i = 0; i < count; ++i) {
    std::string source = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n";
    for (uint64_t j = 0; j <= i; j += 4) absl::StrAppend(&source, "#include \"h", j, ".h\"\n");
    absl::StrAppend(&source, i == 0 ? "int main(void) { return 0; }\n" : "", "int f", i,
                    "(int x) { return x + printf(\"%d\", x); }\n");
    RETURN_IF_ERROR(base::ReplaceFile(absl::StrCat(root, "/s", i, ".c"), source, {}));
    RETURN_IF_ERROR(base::ReplaceFile(absl::StrCat(root, "/h", i, ".h"), absl::StrCat("int f", i, "(int x);\n"), {}));
  }
  return base::ReplaceFile(root + "/Makefile", makefile, {});
}

// --- whole jobs

absl::StatusOr<base::Measurement> Job(Peer& peer, const std::string& script) {
  return base::MeasureCommand({"/bin/sh", "-ec", absl::StrCat("cd ", peer.root(), "\n", script)}, {});
}

base::Measurement Counted(base::Measurement measurement, uint64_t units) {
  measurement.units = static_cast<double>(units);
  return measurement;
}

// A workload of this process that does `units` at once.
std::function<absl::StatusOr<base::Measurement>(Peer&)> Measured(uint64_t units,
                                                                 std::function<absl::Status(Peer&)> work) {
  return [units, work = std::move(work)](Peer& peer) -> absl::StatusOr<base::Measurement> {
    ASSIGN_OR_RETURN(const base::Measurement measurement, base::Measure([&] { return work(peer); }));
    return Counted(measurement, units);
  };
}

std::vector<uint64_t> Order(uint64_t count, bool shuffled) {
  std::vector<uint64_t> order(count);
  for (uint64_t i = 0; i < count; ++i) order[i] = i;
  if (shuffled) std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  return order;
}

std::vector<Workload> SmallFileWorkloads(const WorkloadOptions& options) {
  const uint64_t count = options.files;
  const auto have = [count](Peer& peer) { return HaveFiles(peer, count); };
  const auto have_cold = [count](Peer& peer) {
    RETURN_IF_ERROR(HaveFiles(peer, count));
    return peer.Remount();
  };
  const auto in_order = Order(count, false);
  const auto shuffled = Order(count, true);
  return {
      {"create 4 KiB files, then durable", "file", 0.4, [](Peer& peer) { return base::RemoveTree(FilesRoot(peer)); },
       Measured(count, [count](Peer& peer) { return WriteFiles(peer, count); })},
      {"stat all, cold", "file", 1, have_cold, Measured(count, [count](Peer& peer) { return StatAll(peer, count); })},
      {"read small files, cold, directory order", "file", 5, have_cold,
       Measured(count, [in_order](Peer& peer) { return ReadFiles(peer, in_order); })},
      {"read small files, cold, random order", "file", 2, have_cold,
       Measured(count, [shuffled](Peer& peer) { return ReadFiles(peer, shuffled); })},
      {"read small files, warm", "file", 0.8,
       [count, in_order](Peer& peer) {
         RETURN_IF_ERROR(HaveFiles(peer, count));
         return ReadFiles(peer, in_order);
       },
       Measured(count, [in_order](Peer& peer) { return ReadFiles(peer, in_order); })},
      {"unlink, then durable", "file", 0.3, have,
       Measured(count, [count](Peer& peer) { return RemoveFiles(peer, count); })},
  };
}

void AddJobs(const WorkloadOptions& options, std::vector<Workload>* workloads) {
  const std::string tree = options.tree;
  workloads->push_back(
      {"untar a source tree, then durable", "job", 0,
       [](Peer& peer) { return base::RemoveTree(peer.root() + "/tree"); },
       [tree](Peer& peer) -> absl::StatusOr<base::Measurement> {
         ASSIGN_OR_RETURN(base::Measurement measurement,
                          Job(peer, absl::StrCat("mkdir tree; tar c -C ", tree, " . | tar x -C tree")));
         const int64_t start = base::Clock::Real().MonotonicNs();
         RETURN_IF_ERROR(MakeDurable(peer.root()));
         measurement.wall_seconds += static_cast<double>(base::Clock::Real().MonotonicNs() - start) / 1e9;
         return measurement;
       }});
  const auto have_repository = [tree](Peer& peer) -> absl::Status {
    if (access((peer.root() + "/repository").c_str(), F_OK) == 0) return absl::OkStatus();
    return Job(peer, absl::StrCat("mkdir repository; tar c -C ", tree,
                                  " . | tar x -C repository; cd repository; "
                                  "git init -q . && git add -A . && git -c user.name=a -c user.email=a@b commit -qm a"))
        .status();
  };
  workloads->push_back({"git clone + status", "job", 0,
                        [have_repository](Peer& peer) -> absl::Status {
                          RETURN_IF_ERROR(have_repository(peer));
                          return base::RemoveTree(peer.root() + "/clone");
                        },
                        [](Peer& peer) { return Job(peer, "git clone -q repository clone; git -C clone status -s"); }});
  workloads->push_back({"git status, warm", "job", 0.8,
                        [have_repository](Peer& peer) -> absl::Status {
                          RETURN_IF_ERROR(have_repository(peer));
                          return Job(peer, "git -C repository status -s").status();
                        },
                        [](Peer& peer) { return Job(peer, "git -C repository status -s"); }});
  workloads->push_back(
      {"rm -rf a source tree", "job", 0,
       [tree](Peer& peer) {
         return Job(peer, absl::StrCat("rm -rf gone; mkdir gone; tar c -C ", tree, " . | tar x -C gone")).status();
       },
       [](Peer& peer) { return Job(peer, "rm -rf gone"); }});
  workloads->push_back({"make -j2", "job", 0.9, [n = options.sources](Peer& peer) { return WriteSources(peer, n); },
                        [](Peer& peer) { return Job(peer, "make -s -j2 -C sources program"); }});
}

}  // namespace

std::vector<Workload> Workloads(const WorkloadOptions& options) {
  std::vector<Workload> workloads = SmallFileWorkloads(options);
  const uint64_t bytes = options.large_bytes;
  const uint64_t mebibytes = bytes >> 20;
  workloads.push_back({"sequential write + fsync", "MiB", 0.4, nullptr,
                       Measured(mebibytes, [bytes](Peer& peer) { return WriteLarge(peer, bytes); })});
  workloads.push_back({"sequential read, cold", "MiB", 0.9,
                       [bytes](Peer& peer) {
                         RETURN_IF_ERROR(WriteLarge(peer, bytes));
                         return peer.Remount();
                       },
                       Measured(mebibytes, [bytes](Peer& peer) { return ReadLarge(peer, bytes); })});
  workloads.push_back({"append 1 KiB, fsync at the end", "record", 0.14, nullptr,
                       Measured(options.appends, [n = options.appends](Peer& peer) { return Append(peer, n); })});
  workloads.push_back({"write 4 KiB + fdatasync", "write", 1, nullptr,
                       Measured(options.fsyncs, [n = options.fsyncs](Peer& peer) { return SyncEach(peer, n); })});
  workloads.push_back({"fsync beside a streaming writer, 99 %", "fsync", 0, nullptr,
                       [n = options.fsyncs, bytes](Peer& peer) { return SyncBesideStream(peer, n, bytes); }});
  AddJobs(options, &workloads);
  return workloads;
}

}  // namespace fs
