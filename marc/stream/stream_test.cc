#include "base/os/stream.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "marc/stream/chunk_reader.h"
#include "marc/stream/format.h"
#include "marc/stream/pipeline.h"
#include "marc/stream/reader.h"
#include "marc/stream/writer.h"
#include "marc/testing/records.h"

namespace marc {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string Sample(int count, bool damaged) {
  std::mt19937_64 random(testing::TestSeed());
  Record record;
  std::string all;
  for (int i = 0; i < count; ++i) {
    testing::RandomRecord(random, true, &record);
    Buffer out;
    AppendRebuilt(record.view(), &out);
    std::string one(out.view());
    if (damaged && random() % 5 == 0) one[random() % one.size()] = static_cast<char>(random() % 256);
    all += one;
  }
  return all;
}

TEST(FormatTest, DetectsByContent) {
  EXPECT_EQ(DetectFormat("00755cam  22"), Format::kIso2709);
  EXPECT_EQ(DetectFormat("\xEF\xBB\xBF\n <?xml"), Format::kMarcXml);
  EXPECT_EQ(DetectFormat(" [\n{"), Format::kNdjson);
  EXPECT_EQ(DetectFormat("=LDR  "), Format::kMrk);
  EXPECT_EQ(DetectFormat(""), Format::kIso2709);
  EXPECT_EQ(FormatOfPath("a/b.MRC.gz"), Format::kIso2709);
  EXPECT_EQ(FormatOfPath("b.jsonl.zst"), Format::kNdjson);
  EXPECT_EQ(FormatOfPath("b.txt"), Format::kAuto);
  EXPECT_THAT(ParseFormat("docx"), StatusIs(absl::StatusCode::kInvalidArgument));
}

struct RunResult {
  std::string bytes;
  std::vector<std::string> problems;
  std::string rejected;
  absl::Status status;
};

RunResult RunWith(const std::string& input, size_t threads, size_t chunk_bytes, Format to, Strictness strictness,
                  bool mapped) {
  ChunkReader reader = mapped ? ChunkReader(absl::string_view(input), Format::kAuto, chunk_bytes)
                              : ChunkReader(base::MemorySource(input), Format::kAuto, chunk_bytes);
  PipelineOptions options;
  options.threads = threads;
  options.strictness = strictness;
  options.keep_rejected = true;
  options.input_name = "in";
  options.serializer = [to](RecordSink* sink) { return MakeSerializer(to, {}, sink); };
  RunResult run;
  run.status = RunPipeline(reader, options, [&](ChunkResult& result) -> absl::StatusOr<bool> {
                 run.bytes += std::string(result.bytes.view());
                 run.rejected += std::string(result.rejected.view());
                 for (const Problem& problem : result.problems) run.problems.push_back(ToJson(problem));
                 return true;
               }).status();
  return run;
}

// The promise of RunPipeline: nothing depends on threads, chunks or mapping.
TEST(PipelineTest, SameBytesAndProblemsForAnyThreadsAndChunks) {
  const std::string input = Sample(400, true);
  const RunResult expected = RunWith(input, 1, 1 << 20, Format::kMarcXml, Strictness::kSalvage, false);
  EXPECT_THAT(expected.status, IsOk());
  EXPECT_FALSE(expected.problems.empty());
  for (const size_t threads : {1, 2, 4}) {
    for (const size_t chunk : {2000, 10000, 1 << 20}) {
      for (const bool mapped : {false, true}) {
        const RunResult run = RunWith(input, threads, chunk, Format::kMarcXml, Strictness::kSalvage, mapped);
        EXPECT_EQ(run.bytes, expected.bytes) << threads << " " << chunk << mapped;
        EXPECT_EQ(run.problems, expected.problems) << threads << " " << chunk << mapped;
        EXPECT_EQ(run.rejected, expected.rejected) << threads << " " << chunk << mapped;
      }
    }
  }
}

TEST(PipelineTest, StrictStopsBehindTheRecordsBeforeTheError) {
  const std::string good = Sample(100, false);
  std::string bad = Sample(1, false);
  bad.replace(12, 5, "99999");
  for (const size_t threads : {1, 3}) {
    const RunResult run = RunWith(good + bad + good, threads, 3000, Format::kIso2709, Strictness::kStrict, false);
    EXPECT_THAT(run.status, StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_EQ(run.bytes, good) << threads;
    EXPECT_THAT(std::string(run.status.message()), HasSubstr("in:101"));
  }
}

TEST(PipelineTest, CancelLeavesWholeRecords) {
  const std::string input = Sample(300, false);
  ChunkReader reader(base::MemorySource(input), Format::kAuto, 3000);
  PipelineOptions options;
  options.threads = 2;
  int results = 0;
  options.cancelled = [&] { return results == 3; };
  options.serializer = [](RecordSink* sink) { return MakeSerializer(Format::kIso2709, {}, sink); };
  std::string bytes;
  const absl::Status status = RunPipeline(reader, options, [&](ChunkResult& result) -> absl::StatusOr<bool> {
                                ++results;
                                bytes += std::string(result.bytes.view());
                                return true;
                              }).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(bytes, input.substr(0, bytes.size()));
  EXPECT_EQ(bytes.back(), kRecordTerminator);
}

TEST(ReaderTest, RecordsOfAllFormatsWithStreamOrdinals) {
  const std::string input = Sample(200, false);
  for (const Format format : {Format::kIso2709, Format::kMarcXml, Format::kMarcJson, Format::kNdjson, Format::kMrk}) {
    RecordProblems problems;
    std::string text;
    WriterOptions options;
    options.format = format;
    Writer writer(base::MemorySink(&text), options, &problems);
    ReaderOptions small;
    small.chunk_bytes = 5000;
    Reader reader(base::MemorySource(input), small, &problems);
    RecordView record;
    while (true) {
      ASSERT_OK_AND_ASSIGN(const bool more, reader.Next(&record));
      if (!more) break;
      EXPECT_THAT(writer.Write(record), IsOk());
    }
    ASSERT_OK_AND_ASSIGN(const WriterSummary summary, writer.Close());
    EXPECT_EQ(summary.records, 200u);
    EXPECT_EQ(summary.bytes, text.size());
    BatchReader batches(base::MemorySource(text), small, &problems);
    Buffer iso;
    uint64_t ordinal = 0;
    while (true) {
      ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RecordBatch> batch, batches.Next());
      if (batch == nullptr) break;
      for (const RecordView& view : batch->records()) {
        EXPECT_EQ(view.ordinal(), ++ordinal);
        AppendRebuilt(view, &iso);
      }
    }
    EXPECT_EQ(iso.view(), input) << FormatName(format);
    EXPECT_THAT(problems.problems(), SizeIs(0)) << FormatName(format);
  }
}

TEST(ReaderTest, StrictEndsWithTheProblem) {
  std::string bad = Sample(2, false);
  bad.replace(0, 5, "xxxxx");
  RecordProblems problems;
  ReaderOptions options;
  options.strictness = Strictness::kStrict;
  Reader reader(base::MemorySource(bad), options, &problems);
  RecordView record;
  EXPECT_THAT(reader.Next(&record), StatusIs(absl::StatusCode::kDataLoss));
}

// A sink that blocks until released.
class SlowSink : public base::Sink {
 public:
  explicit SlowSink(std::atomic<bool>* released) : released_(*released) {}
  absl::Status Write(absl::string_view) override {
    while (!released_) std::this_thread::yield();
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  std::atomic<bool>& released_;
};

class FullSink : public base::Sink {
 public:
  absl::Status Write(absl::string_view) override { return absl::ResourceExhaustedError("disk full"); }
  absl::Status Close() override { return absl::OkStatus(); }
};

TEST(WriterSetTest, OneSlowSinkDoesNotBlockTheOthers) {
  RecordProblems problems;
  Record record;
  record.AddField("001", std::string(900, 'x'), Placement::kEnd);
  std::atomic<bool> released{false};
  std::string out;
  WriterSet set;
  WriterOptions options;
  options.asynchronous = true;
  options.batch_bytes = 4096;
  Writer& slow = set.Add(std::make_unique<SlowSink>(&released), options, &problems);
  Writer& fast = set.Add(base::MemorySink(&out), options, &problems);
  for (int i = 0; i < 12; ++i) EXPECT_THAT(slow.Write(record), IsOk());
  for (int i = 0; i < 1000; ++i) EXPECT_THAT(fast.Write(record), IsOk());
  EXPECT_THAT(fast.Flush(), IsOk());
  EXPECT_GT(out.size(), 900000u);
  released = true;
  ASSERT_OK_AND_ASSIGN(const WriterSummary summary, set.CloseAll());
  EXPECT_EQ(summary.records, 1012u);
}

TEST(WriterTest, SinkErrorsStayAndCloseReportsThem) {
  for (const bool asynchronous : {false, true}) {
    RecordProblems problems;
    WriterOptions options;
    options.asynchronous = asynchronous;
    options.batch_bytes = 1000;
    Writer writer(std::make_unique<FullSink>(), options, &problems);
    Record record;
    record.AddField("001", std::string(2000, 'x'), Placement::kEnd);
    for (int i = 0; i < 10; ++i) writer.Write(record).IgnoreError();
    EXPECT_THAT(writer.Close(), StatusIs(absl::StatusCode::kResourceExhausted));
  }
}

TEST(WriterTest, WhatCannotBeWrittenIsReportedAndLeavesNothing) {
  RecordProblems problems;
  std::string out;
  Writer writer(base::MemorySink(&out), {}, &problems);
  Record record;
  record.AddField("500", std::string(20000, 'x'), Placement::kEnd);
  EXPECT_THAT(writer.Write(record), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const WriterSummary summary, writer.Close());
  EXPECT_EQ(summary.rejected, 1u);
  EXPECT_EQ(out, "");
  EXPECT_THAT(writer.Write(record), StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace marc
