// The engine against the raw device of the same run: what of the disk's speed is left for
// its users. The first contender of a row is the device itself, asked in the best way.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
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
#include "fs/cache/raw_engine.h"
#include "fs/disk/aligned_buffer.h"
#include "fs/disk/file_device.h"
#include "fs/disk/image_file.h"

namespace fs {
namespace {

struct Amounts {
  uint64_t image_bytes = uint64_t{1} << 30;
  size_t synced = 1000;       // stores of 4 KiB, each durable
  size_t buffered = 6400;     // stores of 4 KiB, 32 to a flush
  size_t medium = 1600;       // stores of 64 KiB, 32 to a flush
  size_t large = 200;         // stores of 1 MiB, 4 to a flush
  size_t files = 12000;       // of 4 KiB, for lookups: they fit the block cache
  size_t lookups = 10000;
  size_t warm = 200000;
};

// One image file, used as a raw device or through an engine.
class Side {
 public:
  Side(std::string path, const Amounts& amounts) : path_(std::move(path)), amounts_(amounts), pattern_(4 << 20) {
    std::mt19937_64 random(1);
    for (size_t i = 0; i + 8 <= pattern_.size(); i += 8) {
      const uint64_t word = random();
      std::memcpy(pattern_.data() + i, &word, sizeof word);
    }
  }
  ~Side() { ::unlink(path_.c_str()); }

  absl::Status Create() {
    ImageOptions image;
    image.size_bytes = amounts_.image_bytes;
    return CreateImageFile(path_, image);
  }
  absl::Status OpenDevice() {
    engine_.reset();
    device_.reset();
    ASSIGN_OR_RETURN(device_, FileDevice::Open(path_, {}));
    return absl::OkStatus();
  }
  // With a fresh volume or, `keep`, the one that is there.
  absl::Status OpenEngine(bool keep) {
    RETURN_IF_ERROR(OpenDevice());
    MkfsOptions mkfs;
    mkfs.force = true;
    mkfs.log_bytes = amounts_.image_bytes / 8;
    if (!keep) RETURN_IF_ERROR(Mkfs(*device_, mkfs));
    ASSIGN_OR_RETURN(engine_, fs::OpenEngine(*device_, EngineOptions()));
    return absl::OkStatus();
  }
  absl::Status CloseEngine() {
    if (engine_ != nullptr) RETURN_IF_ERROR(engine_->Close());
    engine_.reset();
    device_.reset();
    return absl::OkStatus();
  }

  // `count` values of `size` bytes, `group` of them to a flush.
  absl::Status RawStores(size_t count, size_t size, size_t group) {
    for (size_t i = 0; i < count; i += group) {
      std::vector<IoRequest> writes;
      const size_t step = std::min<size_t>(size * group, 1 << 20);
      for (size_t at = 0; at < size * group; at += step) {
        writes.push_back(IoRequest::Write((i * size + at) % (amounts_.image_bytes / 2),
                                          absl::MakeConstSpan(pattern_.data() + at % pattern_.size(), step)));
      }
      RETURN_IF_ERROR(device_->SubmitAndWait(absl::MakeSpan(writes)));
      RETURN_IF_ERROR(device_->Flush());
    }
    return absl::OkStatus();
  }
  absl::Status EngineStores(size_t count, size_t size, size_t group) {
    for (size_t i = 0; i < count; ++i) {
      const InodeNumber inode = next_inode_++;
      Mutation mutation;
      mutation.Put(RowKey(inode, RowType::kInode), std::string(80, 'i'));
      const absl::string_view bytes(reinterpret_cast<const char*>(pattern_.data()) + i * 64 % (pattern_.size() - size + 1), size);
      mutation.Write(inode, 0, bytes, {1, inode, 0});
      ASSIGN_OR_RETURN(const Sequence sequence, engine_->Apply(mutation));
      if (i % group == group - 1) RETURN_IF_ERROR(engine_->Commit(sequence, Priority::kSync));
    }
    return absl::OkStatus();
  }
  absl::Status RawLookups(bool random) {
    std::mt19937_64 generator(7);
    AlignedBuffer out(100 * 4096);
    for (size_t i = 0; i + 100 <= amounts_.lookups; i += 100) {
      std::vector<IoRequest> reads;
      if (random) {
        for (size_t j = 0; j < 100; ++j) {
          reads.push_back(IoRequest::Read(generator() % amounts_.files * 4096, out.span(j * 4096, 4096)));
        }
      } else {
        reads.push_back(IoRequest::Read(i % (amounts_.files - 100) * 4096, out.span()));
      }
      RETURN_IF_ERROR(device_->SubmitAndWait(absl::MakeSpan(reads)));
    }
    return absl::OkStatus();
  }
  absl::Status EngineLookups(bool random, size_t count, bool one_by_one) {
    std::mt19937_64 generator(7);
    std::vector<uint8_t> out(100 * 4096);
    for (size_t i = 0; i + 100 <= count; i += 100) {
      std::vector<DataRead> reads;
      for (size_t j = 0; j < 100; ++j) {
        const InodeNumber inode = 100 + (random ? generator() % amounts_.files : (i + j) % amounts_.files);
        reads.push_back({inode, 0, absl::MakeSpan(out.data() + j * 4096, 4096)});
      }
      absl::Status status;
      if (one_by_one) {
        for (const DataRead& read : reads) status.Update(engine_->ReadData(read));
      } else {
        engine_->ReadDataBatch(reads, [&](size_t, const absl::Status& one) { status.Update(one); });
      }
      RETURN_IF_ERROR(status);
    }
    return absl::OkStatus();
  }
  absl::Status Fill() {
    RETURN_IF_ERROR(OpenEngine(false));
    next_inode_ = 100;
    RETURN_IF_ERROR(EngineStores(amounts_.files, 4096, 256));
    return CloseEngine();
  }

 private:
  const std::string path_;
  const Amounts amounts_;
  AlignedBuffer pattern_;
  std::unique_ptr<FileDevice> device_;
  std::unique_ptr<RawEngine> engine_;
  InodeNumber next_inode_ = 100;
};

std::function<absl::StatusOr<base::Measurement>()> Measured(double units, std::function<absl::Status()> work) {
  return [units, work = std::move(work)]() -> absl::StatusOr<base::Measurement> {
    ASSIGN_OR_RETURN(base::Measurement measured, base::Measure(work));
    measured.units = units;
    return measured;
  };
}

void AddStores(base::Bench& bench, const std::string& name, double gate, size_t count, size_t size, size_t group, Side& raw,
               Side& engine) {
  const auto units = static_cast<double>(count);
  bench.Add({.name = name, .unit = "store", .gate = gate},
            {{"device", Measured(units, [&raw, count, size, group] { return raw.RawStores(count, size, group); }),
              [&raw] { return raw.OpenDevice(); }},
             {"engine", Measured(units, [&engine, count, size, group] { return engine.EngineStores(count, size, group); }),
              [&engine] { return engine.OpenEngine(false); }}});
}

void AddLookups(base::Bench& bench, const std::string& name, double gate, bool random, const Amounts& amounts, Side& raw,
                Side& engine) {
  const auto units = static_cast<double>(amounts.lookups);
  bench.Add({.name = name, .unit = "lookup", .gate = gate},
            {{"device", Measured(units, [&raw, random] { return raw.RawLookups(random); }), [&raw] { return raw.OpenDevice(); }},
             {"engine", Measured(units, [&engine, random, n = amounts.lookups] { return engine.EngineLookups(random, n, false); }),
              [&engine] { return engine.OpenEngine(true); }}});
}

absl::Status Measure(const base::Arguments& arguments) {
  Amounts amounts;
  if (arguments.Has("tiny")) {
    amounts = {.image_bytes = 64 << 20, .synced = 20, .buffered = 64, .medium = 32, .large = 4, .files = 400, .lookups = 200, .warm = 1000};
  }
  ASSIGN_OR_RETURN(const int64_t runs, arguments.GetInt("runs", 1, 1000));
  const char* const scratch = std::getenv("TEST_TMPDIR");
  const std::string directory = scratch != nullptr && !arguments.Has("directory") ? scratch : arguments.Get("directory");
  const std::string path = absl::StrCat(directory, "/cachefs-engine-bench-", ::getpid());
  Side raw(path + "-raw.img", amounts), stores(path + "-stores.img", amounts), lookups(path + "-lookups.img", amounts);
  for (Side* side : {&raw, &stores, &lookups}) RETURN_IF_ERROR(side->Create());
  RETURN_IF_ERROR(lookups.Fill());
  base::Bench bench({.title = "engine", .runs = static_cast<int>(runs), .tiny = arguments.Has("tiny")});
  AddStores(bench, "store 4 KiB, sync each", 0.8, amounts.synced, 4096, 1, raw, stores);
  AddStores(bench, "store 4 KiB, sync per 32", 0.75, amounts.buffered, 4096, 32, raw, stores);
  AddStores(bench, "store 64 KiB, sync per 32", 0.9, amounts.medium, 64 << 10, 32, raw, stores);
  AddStores(bench, "store 1 MiB, sync per 4", 0.9, amounts.large, 1 << 20, 4, raw, stores);
  AddLookups(bench, "lookup 100 at once, cold random", 0.85, true, amounts, raw, lookups);
  AddLookups(bench, "lookup 100 at once, cold sequential", 0.8, false, amounts, raw, lookups);
  bench.Add({.name = "lookup one by one, warm", .unit = "lookup"},
            {{"engine", Measured(static_cast<double>(amounts.warm), [&] { return lookups.EngineLookups(true, amounts.warm, true); }),
              [&]() -> absl::Status {
                RETURN_IF_ERROR(lookups.OpenEngine(true));
                return lookups.EngineLookups(false, amounts.files, false);
              }}});
  return bench.Run(arguments.Get("filter"));
}

int RunBench(const base::Arguments& arguments) {
  const absl::Status status = Measure(arguments);
  if (!status.ok()) base::PrintError(arguments.full_name(), status.message());
  return status.ok() ? 0 : 1;
}

const base::Command kCommand = {
    .name = "engine_bench",
    .summary = "measure the engine against its device",
    .description =
        "Creates image files of 1 GiB in DIRECTORY, measures stores and lookups on the device and through the "
        "engine, and removes them.",
    .flags = {{.name = "directory", .value = "DIRECTORY", .help = "where the disk to be measured is mounted", .fallback = "/var/tmp"},
              {.name = "runs", .value = "N", .help = "runs of each row; the median counts", .fallback = "5"},
              {.name = "filter", .value = "TEXT", .help = "only rows whose name contains TEXT"},
              {.name = "tiny", .help = "one small run, to see that it works"}},
    .run = RunBench};

}  // namespace
}  // namespace fs

int main(int argc, char** argv) { return base::RunCommand(fs::kCommand, argc, argv); }
