// What no short test can show of the engine: mounting a large volume after kill -9, its
// memory, waiting for a commit beside a writer of streams, and long churn on a full disk.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/command_line.h"
#include "base/endian.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/cache/raw_engine.h"
#include "fs/disk/file_device.h"
#include "fs/disk/image_file.h"

namespace fs {
namespace {

struct Disk {
  std::unique_ptr<FileDevice> device;
  std::unique_ptr<RawEngine> engine;
};

absl::StatusOr<Disk> Open(const std::string& path) {
  Disk disk;
  ASSIGN_OR_RETURN(disk.device, FileDevice::Open(path, {}));
  ASSIGN_OR_RETURN(disk.engine, OpenEngine(*disk.device, EngineOptions()));
  return disk;
}

absl::Status MakeDisk(const std::string& path, uint64_t bytes) {
  ImageOptions image;
  image.size_bytes = bytes;
  RETURN_IF_ERROR(CreateImageFile(path, image));
  ASSIGN_OR_RETURN(const std::unique_ptr<FileDevice> device, FileDevice::Open(path, {}));
  return Mkfs(*device, MkfsOptions());
}

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string Pattern(size_t size) {
  std::mt19937_64 random(1);
  std::string pattern(size, '\0');
  for (size_t at = 0; at + 8 <= size; at += 8) base::StoreLittle<uint64_t>(&pattern[at], random());
  return pattern;
}

// Runs `work` in a process of its own, which ends without a word to anybody.
absl::Status InAnotherProcess(const std::function<absl::Status()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const absl::Status status = work();
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::fflush(nullptr);
    ::_exit(status.ok() ? 0 : 1);
  }
  int state = 0;
  if (pid < 0 || ::waitpid(pid, &state, 0) != pid) return absl::InternalError("no process");
  return state == 0 ? absl::OkStatus() : absl::InternalError("the process failed");
}

// The rows that a volume has for a file.
Mutation File(InodeNumber inode, absl::string_view bytes) {
  Mutation mutation;
  const InodeNumber directory = 1 + inode / 1000;
  mutation.Put(RowKey(inode, RowType::kInode), std::string(60, 'i'));
  mutation.Put(RowKey(inode, RowType::kBackReference, directory, inode), "");
  mutation.Put(RowKey(directory, RowType::kOrder, inode), absl::StrCat("file-", inode));
  mutation.Put(RowKey(directory, RowType::kName, inode * 0x9e3779b97f4a7c15, 0), absl::StrCat("file-", inode));
  mutation.Write(inode, 0, bytes, {directory, inode, 0});
  return mutation;
}

absl::Status MountProof(const std::string& path, const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const int64_t files, arguments.GetInt("files", 1, 100'000'000));
  ASSIGN_OR_RETURN(const int64_t size, arguments.GetInt("bytes", 1, 65536));
  RETURN_IF_ERROR(
      MakeDisk(path, static_cast<uint64_t>(files) * (static_cast<uint64_t>(size) + 700) * 5 / 4 + (512 << 20)));
  RETURN_IF_ERROR(InAnotherProcess([&]() -> absl::Status {
    ASSIGN_OR_RETURN(Disk disk, Open(path));
    const std::string pattern = Pattern(1 << 20);
    for (int64_t i = 0; i < files; ++i) {
      const absl::string_view bytes(pattern.data() + i * 8 % ((1 << 20) - size), static_cast<size_t>(size));
      RETURN_IF_ERROR(disk.engine->Apply(File(1'000'000 + static_cast<InodeNumber>(i), bytes)).status());
    }
    RETURN_IF_ERROR(disk.engine->Commit(disk.engine->last_sequence(), Priority::kSync));
    const EngineStats stats = disk.engine->stats();
    std::printf("written: %d files of %d bytes; log in use %s; bytes written per byte of the user %.2f\n",
                static_cast<int>(files), static_cast<int>(size), base::HumanSize(stats.log_bytes_used).c_str(),
                static_cast<double>(stats.log_bytes_written + stats.data_bytes_written + stats.page_bytes_written) /
                    static_cast<double>(stats.user_bytes));
    std::fflush(nullptr);
    ::_exit(0);  // as kill -9 would
  }));
  for (const char* how : {"after kill -9", "again, cleanly closed"}) {
    RETURN_IF_ERROR(InAnotherProcess([&]() -> absl::Status {
      const absl::Time begin = absl::Now();
      ASSIGN_OR_RETURN(Disk disk, Open(path));
      const absl::Duration took = absl::Now() - begin;
      const uint64_t data = static_cast<uint64_t>(files * size);
      const uint64_t allowed = (64 << 20) + static_cast<uint64_t>(files) * 300 + (data >> 30 << 20);
      std::printf("mounted %s: %.2f s, %d batches replayed; RSS %s, allowed %s\n", how, absl::ToDoubleSeconds(took),
                  static_cast<int>(disk.engine->stats().recovered_batches), base::HumanSize(ResidentBytes()).c_str(),
                  base::HumanSize(allowed).c_str());
      return disk.engine->Close();
    }));
  }
  return absl::OkStatus();
}

absl::Status StreamProof(const std::string& path, const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const int64_t seconds, arguments.GetInt("seconds", 1, 86400));
  RETURN_IF_ERROR(MakeDisk(path, uint64_t{2} << 30));
  ASSIGN_OR_RETURN(Disk disk, Open(path));
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> streamed{0};
  absl::Status failed;
  std::thread writer([&] {
    const std::string pattern = Pattern(1 << 20);
    for (uint64_t i = 0; !stop && failed.ok(); ++i) {
      Mutation mutation;
      if (i % 512 == 0 && i >= 512) {
        mutation.set_frees_space();
        mutation.Drop(100 + i / 512 - 1);
      }
      mutation.Write(100 + i / 512, i % 512 << 20, pattern, {1, i / 512, 0});
      failed.Update(disk.engine->Apply(mutation).status());
      streamed += 1 << 20;
    }
  });
  std::vector<double> waits;
  const absl::Time begin = absl::Now(), end = begin + absl::Seconds(seconds);
  const std::string small(4096, 's');
  absl::Status status;
  for (uint64_t i = 0; absl::Now() < end && status.ok(); ++i) {
    Mutation mutation;
    mutation.Write(50, i % 64 * 4096, small, {1, 50, 0});
    const absl::Time start = absl::Now();
    const absl::StatusOr<Sequence> sequence = disk.engine->Apply(mutation);
    status.Update(sequence.status());
    if (sequence.ok()) status.Update(disk.engine->Commit(*sequence, Priority::kSync));
    waits.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
    absl::SleepFor(absl::Milliseconds(5));
  }
  stop = true;
  writer.join();
  status.Update(failed);
  RETURN_IF_ERROR(status);
  std::sort(waits.begin(), waits.end());
  std::printf("write 4 KiB and commit beside a stream of %.0f MB/s: %d times; p50 %.1f ms, p99 %.1f ms, most %.1f ms\n",
              static_cast<double>(streamed) / 1e6 / absl::ToDoubleSeconds(absl::Now() - begin),
              static_cast<int>(waits.size()), waits[waits.size() / 2], waits[waits.size() * 99 / 100], waits.back());
  return disk.engine->Close();
}

absl::Status ChurnProof(const std::string& path, const base::Arguments& arguments) {
  ASSIGN_OR_RETURN(const int64_t seconds, arguments.GetInt("seconds", 1, 86400));
  ASSIGN_OR_RETURN(const int64_t percent, arguments.GetInt("full", 1, 95));
  RETURN_IF_ERROR(MakeDisk(path, uint64_t{1} << 30));
  ASSIGN_OR_RETURN(Disk disk, Open(path));
  const std::string pattern = Pattern(2 << 20);
  std::mt19937_64 random(3);
  std::vector<InodeNumber> files;
  InodeNumber next = 100;
  uint64_t stores = 0, refused = 0;
  double slowest = 0;
  const absl::Time end = absl::Now() + absl::Seconds(seconds);
  while (absl::Now() < end) {
    const SpaceUsage space = disk.engine->space();
    const bool full = (space.total_bytes - space.free_bytes) * 100 > space.total_bytes * static_cast<uint64_t>(percent);
    Mutation mutation;
    if (full && !files.empty()) {
      std::swap(files[random() % files.size()], files.back());
      mutation.set_frees_space();
      mutation.Delete(RowKey(files.back(), RowType::kInode));
      mutation.Drop(files.back());
      files.pop_back();
      RETURN_IF_ERROR(disk.engine->Apply(mutation).status());
      continue;
    }
    // Many small ones, few large ones, as trees are.
    const size_t size = random() % 20 == 0 ? random() % (1 << 20) : random() % 16384;
    mutation.Put(RowKey(next, RowType::kInode), std::string(60, 'i'));
    mutation.Write(next, 0, absl::string_view(pattern).substr(random() % (1 << 20), size + 1),
                   {1 + next / 100, next, 0});
    const absl::Time start = absl::Now();
    const absl::StatusOr<Sequence> sequence = disk.engine->Apply(mutation);
    slowest = std::max(slowest, absl::ToDoubleMilliseconds(absl::Now() - start));
    if (absl::IsResourceExhausted(sequence.status()) && space.available_bytes * 20 < space.total_bytes) {
      ++refused;
      continue;
    }
    RETURN_IF_ERROR(base::Annotate(sequence.status(),
                                   absl::StrCat("available ", space.available_bytes, " of ", space.total_bytes)));
    files.push_back(next++);
    if (++stores % 1000 == 0) RETURN_IF_ERROR(disk.engine->Commit(*sequence, Priority::kSync));
  }
  const EngineStats stats = disk.engine->stats();
  std::printf(
      "%d s at %d %% full: %d stores, %s; %d chunks cleaned, %s moved; slowest store %.0f ms; %d refused with less "
      "than 5 %% free\n",
      static_cast<int>(seconds), static_cast<int>(percent), static_cast<int>(stores),
      base::HumanSize(stats.user_bytes).c_str(), static_cast<int>(stats.cleaned_chunks),
      base::HumanSize(stats.moved_bytes).c_str(), slowest, static_cast<int>(refused));
  return disk.engine->Close();
}

int Run(const base::Arguments& arguments, absl::Status (*proof)(const std::string&, const base::Arguments&)) {
  const std::string path = absl::StrCat(arguments.Get("directory"), "/cachefs-engine-proof-", ::getpid(), ".img");
  const absl::Cleanup remove = [&path] { ::unlink(path.c_str()); };
  const absl::Status status = proof(path, arguments);
  if (!status.ok()) base::PrintError(arguments.full_name(), status.message());
  return status.ok() ? 0 : 1;
}

base::Command Proofs() {
  const base::Flag directory = {.name = "directory",
                                .value = "DIRECTORY",
                                .help = "where the disk to be used is mounted",
                                .fallback = "/var/tmp"};
  const base::Flag seconds = {.name = "seconds", .value = "N", .help = "how long", .fallback = "60"};
  base::Command command = {.name = "engine_proof", .summary = "long proofs of the engine on an image file"};
  command.subcommands = {
      {.name = "mount",
       .summary = "time and memory of opening a volume after kill -9",
       .flags = {directory,
                 {.name = "files", .value = "N", .help = "files on it", .fallback = "1000000"},
                 {.name = "bytes", .value = "N", .help = "bytes of each", .fallback = "1024"}},
       .run = [](const base::Arguments& arguments) { return Run(arguments, MountProof); }},
      {.name = "stream",
       .summary = "how long a commit takes beside a writer of streams",
       .flags = {directory, seconds},
       .run = [](const base::Arguments& arguments) { return Run(arguments, StreamProof); }},
      {.name = "churn",
       .summary = "stores and deletes on a volume that stays full",
       .flags = {directory, seconds, {.name = "full", .value = "PERCENT", .help = "how full", .fallback = "85"}},
       .run = [](const base::Arguments& arguments) { return Run(arguments, ChurnProof); }}};
  return command;
}

}  // namespace
}  // namespace fs

int main(int argc, char** argv) { return base::RunCommand(fs::Proofs(), argc, argv); }
