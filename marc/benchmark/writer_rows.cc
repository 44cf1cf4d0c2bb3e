#include "marc/benchmark/writer_rows.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bench/bench.h"
#include "base/clock.h"
#include "base/os/file.h"
#include "base/os/stream.h"
#include "base/status_macros.h"
#include "marc/codec/iso2709_serializer.h"
#include "marc/stream/reader.h"
#include "marc/stream/writer.h"
#include "nlohmann/json.hpp"

namespace marc {
namespace {

constexpr uint64_t kCorpusBytesMax = uint64_t{4} << 30;
constexpr size_t kBatchBytes = size_t{1} << 20;

class FileSink : public base::Sink {
 public:
  explicit FileSink(base::Fd fd) : fd_(std::move(fd)) {}
  absl::Status Write(absl::string_view data) override { return base::WriteFull(fd_.get(), data); }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  base::Fd fd_;
};

// Memory that keeps the last batch, or a slow device.
class MemorySink : public base::Sink {
 public:
  explicit MemorySink(std::chrono::milliseconds delay) : delay_(delay) {}
  absl::Status Write(absl::string_view data) override {
    batch_.assign(data.data(), data.size());
    if (delay_.count() != 0) std::this_thread::sleep_for(delay_);
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  const std::chrono::milliseconds delay_;
  std::string batch_;
};

// Records of a corpus, in memory.
struct Records {
  std::string bytes;
  std::vector<std::unique_ptr<RecordBatch>> batches;
  std::vector<RecordView> views;
};

absl::StatusOr<std::unique_ptr<Records>> ReadRecords(const std::string& corpus) {
  auto records = std::make_unique<Records>();
  ASSIGN_OR_RETURN(records->bytes, base::ReadFile(corpus, kCorpusBytesMax));
  QuietSink quiet;
  BatchReader reader(base::MemorySource(records->bytes), {}, &quiet);
  while (true) {
    ASSIGN_OR_RETURN(std::unique_ptr<RecordBatch> batch, reader.Next());
    if (batch == nullptr) return records;
    records->views.insert(records->views.end(), batch->records().begin(), batch->records().end());
    records->batches.push_back(std::move(batch));
  }
}

enum class Where { kMemory, kFile, kBareLoop };

absl::StatusOr<std::unique_ptr<base::Sink>> OpenPlace(Where where, const std::string& path) {
  if (where == Where::kMemory) {
    return std::unique_ptr<base::Sink>(std::make_unique<MemorySink>(std::chrono::milliseconds(0)));
  }
  ASSIGN_OR_RETURN(base::Fd fd, base::OpenFile(path, O_CREAT | O_TRUNC | O_WRONLY));
  return std::unique_ptr<base::Sink>(std::make_unique<FileSink>(std::move(fd)));
}

absl::Status WriteAll(std::unique_ptr<base::Sink> sink, const Records& records, bool asynchronous) {
  QuietSink quiet;
  WriterOptions options;
  options.iso2709.rebuild = true;
  options.asynchronous = asynchronous;
  Writer writer(std::move(sink), options, &quiet);
  for (const RecordView& record : records.views) RETURN_IF_ERROR(writer.Write(record));
  return writer.Close().status();
}

absl::Status WriteOne(Where where, const std::string& path, const Records& records) {
  ASSIGN_OR_RETURN(std::unique_ptr<base::Sink> sink, OpenPlace(where, path));
  if (where != Where::kBareLoop) return WriteAll(std::move(sink), records, false);
  const absl::string_view bytes = records.bytes;
  for (size_t at = 0; at < bytes.size(); at += kBatchBytes) {
    RETURN_IF_ERROR(sink->Write(bytes.substr(at, kBatchBytes)));
  }
  return sink->Close();
}

template <typename Function>
absl::StatusOr<double> Seconds(const Function& function) {
  const int64_t begin = base::Clock::Real().MonotonicNs();
  RETURN_IF_ERROR(function());
  return static_cast<double>(base::Clock::Real().MonotonicNs() - begin) * 1e-9;
}

absl::StatusOr<double> TimeWriters(Where where, size_t writers, const std::string& place, const Records& records) {
  return Seconds([&]() -> absl::Status {
    std::vector<std::thread> threads;
    std::vector<absl::Status> statuses(writers);
    for (size_t i = 0; i < writers; ++i) {
      threads.emplace_back([&, i] { statuses[i] = WriteOne(where, absl::StrCat(place, "/w", i), records); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const absl::Status& status : statuses) RETURN_IF_ERROR(status);
    return absl::OkStatus();
  });
}

// Bytes a second of `jobs` of fio that write as the bare loop does.
absl::StatusOr<double> FioRate(const std::string& place, size_t jobs, uint64_t bytes) {
  const std::string answer = place + "/fio.json";
  RETURN_IF_ERROR(base::MeasureCommand({"fio", "--name=w", "--directory=" + place, "--rw=write", "--bs=1M",
                                        absl::StrCat("--size=", bytes), absl::StrCat("--numjobs=", jobs), "--thread",
                                        "--group_reporting", "--fallocate=none", "--ioengine=sync", "--unlink=1",
                                        "--create_on_open=1", "--output-format=json", "--output=" + answer},
                                       {})
                      .status());
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(answer, kBatchBytes));
  unlink(answer.c_str());
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.contains("jobs") || json["jobs"].empty()) {
    return absl::DataLossError("fio's answer is not understood");
  }
  return json["jobs"][0]["write"]["bw_bytes"].get<double>();
}

// The time of a memory writer while another writer of the set waits for a slow
// device on a thread of its own, against its time alone.
absl::StatusOr<double> TimeBesideSlowWriter(const Records& records, bool with_slow) {
  QuietSink quiet;
  WriterSet set;
  WriterOptions options;
  options.iso2709.rebuild = true;
  Writer& fast = set.Add(std::make_unique<MemorySink>(std::chrono::milliseconds(0)), options, &quiet);
  Writer& slow = set.Add(std::make_unique<MemorySink>(std::chrono::milliseconds(with_slow ? 20 : 0)), options, &quiet);
  absl::Status slow_status;
  std::thread other([&] {
    for (const RecordView& record : records.views) {
      if (with_slow && slow_status.ok()) slow_status = slow.Write(record);
    }
    if (slow_status.ok()) slow_status = slow.Flush();
  });
  const absl::StatusOr<double> seconds = Seconds([&]() -> absl::Status {
    for (const RecordView& record : records.views) RETURN_IF_ERROR(fast.Write(record));
    return fast.Flush();
  });
  other.join();
  RETURN_IF_ERROR(slow_status);
  RETURN_IF_ERROR(set.CloseAll().status());
  return seconds;
}

// Median of `runs` calls, in seconds.
template <typename Function>
absl::StatusOr<double> MedianOf(int runs, const Function& function) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    ASSIGN_OR_RETURN(const double seconds, function());
    times.push_back(seconds);
  }
  return base::Median(times);
}

}  // namespace

absl::Status RunReferenceTests(const BenchSetup& setup, const std::string& place, const std::string& corpus) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Records> owned, ReadRecords(corpus));
  const Records& records = *owned;
  const int runs = setup.tiny ? 1 : 41;
  const auto median = [&](Where where, size_t writers) {
    return MedianOf(runs, [&] { return TimeWriters(where, writers, place, records); });
  };
  ASSIGN_OR_RETURN(const double memory, median(Where::kMemory, 1));
  ASSIGN_OR_RETURN(const double file, median(Where::kFile, 1));
  ASSIGN_OR_RETURN(const double two, median(Where::kFile, 2));
  ASSIGN_OR_RETURN(const double four, median(Where::kFile, 4));
  ASSIGN_OR_RETURN(const double memory_two, median(Where::kMemory, 2));
  ASSIGN_OR_RETURN(const double bare, MedianOf(runs, [&] {
                     return Seconds([&] {
                       Buffer out;
                       for (const RecordView& record : records.views) {
                         AppendRebuilt(record, &out);
                         if (out.size() >= kBatchBytes) out.Clear();
                       }
                       return absl::OkStatus();
                     });
                   }));
  ASSIGN_OR_RETURN(const double queued, MedianOf(runs, [&] {
                     return Seconds([&] {
                       return WriteAll(std::make_unique<MemorySink>(std::chrono::milliseconds(0)), records, true);
                     });
                   }));
  ASSIGN_OR_RETURN(const double alone, MedianOf(runs, [&] { return TimeBesideSlowWriter(records, false); }));
  ASSIGN_OR_RETURN(const double beside, MedianOf(runs, [&] { return TimeBesideSlowWriter(records, true); }));
  const double each = 1e9 / static_cast<double>(records.views.size());
  printf("\nthe reference's seven tests, %zu records of %s, files in %s, medians of %d\n", records.views.size(),
         corpus.c_str(), place.c_str(), runs);
  printf("  1 sequential, memory   %8.3f ms   (reference 50.21)\n", memory * 1e3);
  printf("  2 sequential, file     %8.3f ms   (reference 48.77)\n", file * 1e3);
  printf("  3 file against memory  %8.2f x\n", file / memory);
  printf("  4 two writers          %8.3f ms   scaling %.2fx (reference 0.89x)\n", two * 1e3, 2 * file / two);
  printf("  5 four writers         %8.3f ms   scaling %.2fx (reference 0.61x)\n", four * 1e3, 4 * file / four);
  printf("  6 lock overhead        %8.1f ns a record over serialising alone; %+.1f ns more through a queue\n",
         (memory - bare) * each, (queued - memory) * each);
  printf(
      "  7 isolation            memory scaling %.2fx at two writers; beside a writer that waits for its device: "
      "%.2fx the time\n",
      2 * memory / memory_two, beside / alone);
  return absl::OkStatus();
}

absl::Status RunWriterScaling(const BenchSetup& setup, const std::string& kind, const std::string& place,
                              const std::string& corpus) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Records> owned, ReadRecords(corpus));
  const Records& records = *owned;
  const int runs = setup.tiny ? 1 : 7;
  const bool fio = base::HaveProgram("fio") && !setup.tiny;
  constexpr Where kWhere[] = {Where::kFile, Where::kBareLoop};
  std::vector<double> times[2][3];
  std::vector<double> rates[3];
  for (int run = 0; run < runs; ++run) {
    for (int n = 0; n < 3; ++n) {
      for (int where = 0; where < 2; ++where) {
        ASSIGN_OR_RETURN(const double seconds, TimeWriters(kWhere[where], size_t{1} << n, place, records));
        times[where][n].push_back(seconds);
      }
      if (!fio) continue;
      ASSIGN_OR_RETURN(const double rate, FioRate(place, size_t{1} << n, records.bytes.size()));
      rates[n].push_back(rate);
    }
  }
  printf("\nwriters on %s, %zu records (%.1f MB) each, medians of %d interleaved runs\n", kind.c_str(),
         records.views.size(), static_cast<double>(records.bytes.size()) / 1e6, runs);
  const double megabytes = static_cast<double>(records.bytes.size()) / 1e6;
  double scaling[2][3] = {};
  for (int n = 0; n < 3; ++n) {
    const double count = 1 << n;
    double rate[2];
    for (int where = 0; where < 2; ++where) {
      scaling[where][n] = count * base::Median(times[where][0]) / base::Median(times[where][n]);
      rate[where] = count * megabytes / base::Median(times[where][n]);
    }
    const auto [low, high] = std::minmax_element(times[0][n].begin(), times[0][n].end());
    printf("  %d writers: %7.0f MB/s (spread %.0f %%), bare loop %7.0f MB/s", 1 << n, rate[0],
           (*high - *low) / base::Median(times[0][n]) * 100, rate[1]);
    if (fio) {
      const double peer = base::Median(rates[n]) / 1e6;
      printf(", fio %7.0f MB/s: %.2f of it (gate 0.80 on cachefs)", peer, rate[0] / peer);
    }
    if (n != 0) {
      printf("; scaling %.2fx, the loop's %.2fx: %.2f of it (gate 0.90)", scaling[0][n], scaling[1][n],
             scaling[0][n] / scaling[1][n]);
    }
    printf("\n");
  }
  return absl::OkStatus();
}

}  // namespace marc
