// What a disk gives, by each way of asking for it: the physical limit for all the other
// benchmarks. Prints a table; the first contender of a row is io_uring.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bench/bench.h"
#include "base/command_line.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/file_device.h"
#include "fs/disk/image_file.h"

namespace fs {
namespace {

constexpr size_t kBlockBytes = 4096;
constexpr size_t kStreamBytes = 1 << 20;

struct Amounts {
  uint64_t size_bytes = uint64_t{1} << 30;
  size_t random_reads = 20000;
  size_t single_reads = 5000;
  size_t flushes = 2000;
};

// One open device and the workloads on it.
class Workloads {
 public:
  Workloads(std::string path, FileDevice::Engine engine, const Amounts& amounts)
      : path_(std::move(path)), engine_(engine), amounts_(amounts), memory_(4 * kStreamBytes) {}

  absl::Status Open() {
    FileDevice::Options options;
    options.engine = engine_;
    ASSIGN_OR_RETURN(device_, FileDevice::Open(path_, options));
    // A hint; locked memory may be scarce.
    device_->RegisterMemory(memory_.span()).IgnoreError();
    return absl::OkStatus();
  }
  // A second opener would be refused, and contenders take turns.
  void Close() { device_.reset(); }

  absl::StatusOr<base::Measurement> Sequential(IoRequest::Kind kind) {
    ASSIGN_OR_RETURN(base::Measurement measured, base::Measure([&]() -> absl::Status {
                       const size_t at_once = memory_.size() / kStreamBytes;
                       for (uint64_t offset = 0; offset + kStreamBytes * at_once <= amounts_.size_bytes;
                            offset += kStreamBytes * at_once) {
                         std::vector<IoRequest> requests;
                         for (size_t i = 0; i < at_once; ++i) {
                           const absl::Span<uint8_t> part = memory_.span(i * kStreamBytes, kStreamBytes);
                           requests.push_back(kind == IoRequest::Kind::kRead
                                                  ? IoRequest::Read(offset + i * kStreamBytes, part)
                                                  : IoRequest::Write(offset + i * kStreamBytes, part));
                         }
                         RETURN_IF_ERROR(device_->SubmitAndWait(absl::MakeSpan(requests)));
                       }
                       return kind == IoRequest::Kind::kWrite ? device_->Flush() : absl::OkStatus();
                     }));
    measured.units = static_cast<double>(amounts_.size_bytes) / 1e6;
    return measured;
  }

  // `at_once` reads in each batch, at random places.
  absl::StatusOr<base::Measurement> RandomReads(size_t at_once) {
    const size_t total = at_once == 1 ? amounts_.single_reads : amounts_.random_reads;
    std::mt19937_64 random(1);
    ASSIGN_OR_RETURN(
        base::Measurement measured, base::Measure([&]() -> absl::Status {
          for (size_t done = 0; done < total; done += at_once) {
            std::vector<IoRequest> requests;
            for (size_t i = 0; i < at_once; ++i) {
              const uint64_t block = random() % (amounts_.size_bytes / kBlockBytes);
              requests.push_back(IoRequest::Read(block * kBlockBytes, memory_.span(i * kBlockBytes, kBlockBytes)));
            }
            RETURN_IF_ERROR(device_->SubmitAndWait(absl::MakeSpan(requests)));
          }
          return absl::OkStatus();
        }));
    measured.units = static_cast<double>(total);
    return measured;
  }

  // `bytes` written one after the other, then a flush, again and again.
  absl::StatusOr<base::Measurement> WriteAndFlush(size_t bytes) {
    ASSIGN_OR_RETURN(base::Measurement measured, base::Measure([&]() -> absl::Status {
                       for (size_t i = 0; i < amounts_.flushes; ++i) {
                         const uint64_t offset = i * bytes % (amounts_.size_bytes - bytes) / kBlockBytes * kBlockBytes;
                         RETURN_IF_ERROR(device_->Write(offset, memory_.span(0, bytes)));
                         RETURN_IF_ERROR(device_->Flush());
                       }
                       return absl::OkStatus();
                     }));
    measured.units = static_cast<double>(amounts_.flushes);
    return measured;
  }

 private:
  const std::string path_;
  const FileDevice::Engine engine_;
  const Amounts amounts_;
  AlignedBuffer memory_;
  std::unique_ptr<FileDevice> device_;
};

using Workload = std::function<absl::StatusOr<base::Measurement>(Workloads&)>;

base::Contender MakeContender(std::string name, Workloads& workloads, const Workload& workload) {
  base::Contender contender;
  contender.name = std::move(name);
  contender.run = [&workloads, workload]() -> absl::StatusOr<base::Measurement> {
    RETURN_IF_ERROR(workloads.Open());
    absl::StatusOr<base::Measurement> measured = workload(workloads);
    workloads.Close();
    return measured;
  };
  return contender;
}

absl::Status RunRows(const std::string& path, const Amounts& amounts, const base::Arguments& arguments, int runs) {
  Workloads uring(path, FileDevice::Engine::kUring, amounts);
  Workloads threads(path, FileDevice::Engine::kThreads, amounts);
  const bool have_uring = uring.Open().ok();
  uring.Close();
  if (!have_uring) std::cout << "io_uring cannot be used here: its rows are left out\n";
  base::Bench bench({.title = "disk", .runs = runs, .tiny = arguments.Has("tiny")});
  const auto add = [&](const std::string& name, const std::string& unit, const Workload& workload) {
    std::vector<base::Contender> contenders;
    if (have_uring) contenders.push_back(MakeContender("io_uring", uring, workload));
    contenders.push_back(MakeContender("threads", threads, workload));
    base::Bench::Row row;
    row.name = name;
    row.unit = unit;
    bench.Add(row, std::move(contenders));
  };
  add("sequential write + flush, 1 MiB", "MB", [](Workloads& w) { return w.Sequential(IoRequest::Kind::kWrite); });
  add("sequential read, 1 MiB", "MB", [](Workloads& w) { return w.Sequential(IoRequest::Kind::kRead); });
  add("4 KiB random read, 1 at once", "op", [](Workloads& w) { return w.RandomReads(1); });
  add("4 KiB random read, 32 at once", "op", [](Workloads& w) { return w.RandomReads(32); });
  add("4 KiB random read, 100 at once", "op", [](Workloads& w) { return w.RandomReads(100); });
  add("4 KiB write + flush", "op", [](Workloads& w) { return w.WriteAndFlush(kBlockBytes); });
  add("64 KiB write + flush", "op", [](Workloads& w) { return w.WriteAndFlush(16 * kBlockBytes); });
  return bench.Run(arguments.Get("filter"));
}

absl::Status Measure(const base::Arguments& arguments) {
  Amounts amounts;
  if (arguments.Has("tiny")) amounts = {.size_bytes = 16 << 20, .random_reads = 200, .single_reads = 50, .flushes = 10};
  ASSIGN_OR_RETURN(const int64_t runs, arguments.GetInt("runs", 1, 1000));
  const char* const scratch = std::getenv("TEST_TMPDIR");
  const std::string directory =
      scratch != nullptr && !arguments.Has("directory") ? scratch : arguments.Get("directory");
  const std::string path = absl::StrCat(directory, "/cachefs-bench-", ::getpid(), ".img");
  ImageOptions image;
  image.size_bytes = amounts.size_bytes;
  RETURN_IF_ERROR(CreateImageFile(path, image));
  const absl::Status status = RunRows(path, amounts, arguments, static_cast<int>(runs));
  ::unlink(path.c_str());
  return status;
}

int RunBench(const base::Arguments& arguments) {
  const absl::Status status = Measure(arguments);
  if (!status.ok()) base::PrintError(arguments.full_name(), status.message());
  return status.ok() ? 0 : 1;
}

const base::Command kCommand = {
    .name = "device_bench",
    .summary = "measure what a disk gives",
    .description =
        "Creates an image file of 1 GiB in DIRECTORY, measures reads, writes and flushes past the page "
        "cache, and removes it.",
    .flags = {{.name = "directory",
               .value = "DIRECTORY",
               .help = "where the disk to be measured is mounted",
               .fallback = "/var/tmp"},
              {.name = "runs", .value = "N", .help = "runs of each row; the median counts", .fallback = "5"},
              {.name = "filter", .value = "TEXT", .help = "only rows whose name contains TEXT"},
              {.name = "tiny", .help = "one small run, to see that it works"}},
    .run = RunBench};

}  // namespace
}  // namespace fs

int main(int argc, char** argv) { return base::RunCommand(fs::kCommand, argc, argv); }
