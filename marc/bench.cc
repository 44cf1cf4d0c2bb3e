// Measures marc against yaz-marcdump, and its writers against a bare write loop.
//
// Every row compares outputs first: both are read back and must hold the same
// records. CPU seconds count; runs are interleaved. Corpora come from
// testdata/marc/make_corpus.py, or from --corpus.
#include "base/bench/bench.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/command_line.h"
#include "base/os/file.h"
#include "base/os/stream.h"
#include "base/status_macros.h"
#include "marc/codec/iso2709_parser.h"
#include "marc/stream/reader.h"
#include "marc/stream/writer.h"

namespace marc {
namespace {

struct Setup {
  std::string marc;       // our program
  std::string directory;  // corpora and outputs
  std::string generator;
  int records = 100000;
  bool tiny = false;
};

class Quiet : public RecordSink {
 public:
  void Report(Problem) override {}
  void Reject(absl::string_view) override {}
};

// The records of a file as rebuilt ISO 2709: what two programs must agree on.
absl::StatusOr<std::string> Canonical(const std::string& path) {
  Quiet quiet;
  ASSIGN_OR_RETURN(auto source, base::OpenSource(path));
  Reader reader(std::move(source), {}, &quiet);
  Buffer out;
  RecordView record;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, reader.Next(&record));
    if (!more) return std::string(out.view());
    AppendRebuilt(record, &out);
  }
}

absl::Status Run(const std::string& shell) { return base::MeasureCommand({"sh", "-c", shell}, {}).status(); }

// Two programs that do one job; `{out}` in a command is its output.
struct Job {
  std::string name;
  std::string peer;
  std::string ours;
  double gate = 0;
  bool compare = true;
};

absl::Status Compare(const Setup& setup, const Job& job) {
  std::string results[2];
  const std::string commands[2] = {job.peer, job.ours};
  for (int i = 0; i < 2; ++i) {
    const std::string path = absl::StrCat(setup.directory, "/compare");
    RETURN_IF_ERROR(Run(absl::StrCat(commands[i], " > ", path)));
    ASSIGN_OR_RETURN(results[i], Canonical(path));
  }
  if (results[0].empty() || results[0] != results[1]) {
    return absl::DataLossError(
        absl::StrCat(job.name, ": the outputs differ: ", results[0].size(), " and ", results[1].size(), " bytes"));
  }
  return absl::OkStatus();
}

void AddJob(const Setup& setup, const Job& job, base::Bench* bench) {
  const auto contender = [&](const std::string& name, const std::string& command) {
    const double units = setup.records;
    return base::Contender{name,
                           [=]() -> absl::StatusOr<base::Measurement> {
                             ASSIGN_OR_RETURN(
                                 base::Measurement m,
                                 base::MeasureCommand({"sh", "-c", absl::StrCat("exec ", command, " > /dev/null")},
                                                      {.exit_codes = {0, 1}}));
                             m.units = units;
                             return m;
                           },
                           nullptr};
  };
  bench->Add(
      {.name = job.name, .unit = "records", .by = base::Bench::By::kCpu, .gate = job.gate, .compare_output = false},
      {contender("yaz-marcdump", job.peer), contender("marc -j1", job.ours)});
}

std::vector<Job> Jobs(const Setup& setup) {
  const std::string d = setup.directory;
  const std::string m = setup.marc;
  const std::string q = " -q -j1 ";
  return {
      {"read, structure check", "yaz-marcdump -n " + d + "/utf8.mrc",
       m + " check --level structure" + q + d + "/utf8.mrc", 7, false},
      {"read, structure check, mapped", "yaz-marcdump -n " + d + "/utf8.mrc",
       m + " check --level structure --map" + q + d + "/utf8.mrc", 7, false},
      {"ISO to ISO, one field edited", "yaz-marcdump -o marc " + d + "/utf8.mrc",
       m + " edit -e 'set 005=\"20240101120001.0\"'" + q + d + "/utf8.mrc", 10, false},
      {"ISO to ISO, directory rebuilt", "yaz-marcdump -o marc " + d + "/utf8.mrc",
       m + " cat --rebuild" + q + d + "/utf8.mrc", 10},
      {"ISO to ISO, pass-through", "yaz-marcdump -o marc " + d + "/utf8.mrc", m + " cat" + q + d + "/utf8.mrc", 0},
      {"ISO to MARCXML", "yaz-marcdump -o marcxml " + d + "/utf8.mrc",
       m + " convert --to marcxml" + q + d + "/utf8.mrc", 10},
      {"ISO to NDJSON", "yaz-marcdump -o json " + d + "/utf8.mrc", m + " convert --to ndjson" + q + d + "/utf8.mrc", 7},
      {"MARC-8 to UTF-8", "yaz-marcdump -f marc8 -t utf8 -l 9=97 -o marc " + d + "/marc8.mrc",
       m + " convert --coding marc8:utf8" + q + d + "/marc8.mrc", 12},
      {"MARCXML to ISO", "yaz-marcdump -i marcxml -o marc " + d + "/utf8.xml",
       m + " convert --to marc" + q + d + "/utf8.xml", 5},
      {"reference's tiny records", "yaz-marcdump -o marc " + d + "/tiny.mrc",
       m + " cat --rebuild" + q + d + "/tiny.mrc", 10},
  };
}

absl::Status MakeCorpora(const Setup& setup) {
  for (const char* coding : {"utf8", "marc8", "tiny"}) {
    RETURN_IF_ERROR(Run(absl::StrCat("python3 ", setup.generator, " --coding ", coding, " --records ", setup.records,
                                     " > ", setup.directory, "/", coding, ".mrc")));
  }
  return Run(absl::StrCat("yaz-marcdump -o marcxml ", setup.directory, "/utf8.mrc > ", setup.directory, "/utf8.xml"));
}

// The reference's shape: the same records by N writers to N files, or memory.
enum class Where { kMemory, kFile, kBareLoop };

class FileSink : public base::Sink {
 public:
  explicit FileSink(base::Fd fd) : fd_(std::move(fd)) {}
  absl::Status Write(absl::string_view data) override { return base::WriteFull(fd_.get(), data); }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  base::Fd fd_;
};

class CountingSink : public base::Sink {
 public:
  absl::Status Write(absl::string_view data) override {
    bytes_ += data.size();
    return absl::OkStatus();
  }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  uint64_t bytes_ = 0;
};

absl::Status WriteOne(Where where, const std::string& path, const std::vector<RecordView>& records,
                      absl::string_view bytes) {
  std::unique_ptr<base::Sink> sink;
  if (where == Where::kMemory) {
    sink = std::make_unique<CountingSink>();
  } else {
    ASSIGN_OR_RETURN(base::Fd fd, base::OpenFile(path, O_CREAT | O_TRUNC | O_WRONLY));
    sink = std::make_unique<FileSink>(std::move(fd));
  }
  if (where == Where::kBareLoop) {
    for (size_t at = 0; at < bytes.size(); at += 1 << 20) RETURN_IF_ERROR(sink->Write(bytes.substr(at, 1 << 20)));
    return sink->Close();
  }
  Quiet quiet;
  WriterOptions options;
  options.iso2709.rebuild = true;
  Writer writer(std::move(sink), options, &quiet);
  for (const RecordView& record : records) RETURN_IF_ERROR(writer.Write(record));
  return writer.Close().status();
}

// Best wall seconds of several rounds of `writers` at once.
absl::StatusOr<double> TimeWriters(Where where, size_t writers, const std::string& directory,
                                   const std::vector<RecordView>& records, absl::string_view bytes) {
  const int64_t begin = base::Clock::Real().MonotonicNs();
  std::vector<std::thread> threads;
  std::vector<absl::Status> statuses(writers);
  for (size_t i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] { statuses[i] = WriteOne(where, absl::StrCat(directory, "/w", i), records, bytes); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) RETURN_IF_ERROR(status);
  return static_cast<double>(base::Clock::Real().MonotonicNs() - begin) * 1e-9;
}

absl::Status WriterRows(const Setup& setup, const std::string& directory, const std::string& corpus) {
  ASSIGN_OR_RETURN(std::string bytes, base::ReadFile(corpus, uint64_t{1} << 32));
  Quiet quiet;
  BatchReader reader(base::MemorySource(bytes), {}, &quiet);
  std::vector<std::unique_ptr<RecordBatch>> batches;
  std::vector<RecordView> records;
  while (true) {
    ASSIGN_OR_RETURN(std::unique_ptr<RecordBatch> batch, reader.Next());
    if (batch == nullptr) break;
    records.insert(records.end(), batch->records().begin(), batch->records().end());
    batches.push_back(std::move(batch));
  }
  const int runs = setup.tiny ? 1 : 15;
  printf("\nwriters, %zu records of %s each, %s\n", records.size(), corpus.c_str(), directory.c_str());
  printf("  %-10s %12s %12s %12s %10s %10s\n", "", "1 writer ms", "2 writers ms", "4 writers ms", "scaling 2",
         "scaling 4");
  double scaling[3][2] = {};
  double times[3][3] = {};
  for (auto& row : times) row[0] = row[1] = row[2] = 1e9;
  for (int run = 0; run < runs; ++run) {
    for (int where = 0; where < 3; ++where) {
      for (int n = 0; n < 3; ++n) {
        ASSIGN_OR_RETURN(const double seconds,
                         TimeWriters(static_cast<Where>(where), size_t{1} << n, directory, records, bytes));
        times[where][n] = std::min(times[where][n], seconds);
      }
    }
  }
  const char* names[] = {"memory", "file", "bare loop"};
  for (int where = 0; where < 3; ++where) {
    scaling[where][0] = 2 * times[where][0] / times[where][1];
    scaling[where][1] = 4 * times[where][0] / times[where][2];
    printf("  %-10s %12.3f %12.3f %12.3f %9.2fx %9.2fx\n", names[where], times[where][0] * 1e3, times[where][1] * 1e3,
           times[where][2] * 1e3, scaling[where][0], scaling[where][1]);
  }
  printf("  file against memory, one writer: %.2fx the time\n", times[1][0] / times[0][0]);
  printf("  file scaling against the bare loop's: %.2f at 2, %.2f at 4 (gate 0.90)\n", scaling[1][0] / scaling[2][0],
         scaling[1][1] / scaling[2][1]);
  return absl::OkStatus();
}

absl::Status RunAll(const base::Arguments& arguments, Setup setup) {
  setup.tiny = arguments.Has("tiny");
  if (setup.tiny) setup.records = 200;
  if (arguments.Has("records")) {
    ASSIGN_OR_RETURN(const int64_t records, arguments.GetInt("records", 1, 10000000));
    setup.records = static_cast<int>(records);
  }
  setup.directory = absl::StrCat(arguments.Get("dir"), "/marc-bench-", getpid());
  RETURN_IF_ERROR(base::MakeDirectories(setup.directory));
  printf("%s\n", base::DescribeMachine().c_str());
  absl::Status status;
  if (base::HaveProgram("yaz-marcdump")) {
    RETURN_IF_ERROR(MakeCorpora(setup));
    base::Bench bench({.title = "marc", .runs = setup.tiny ? 1 : 5, .tiny = setup.tiny});
    for (const Job& job : Jobs(setup)) {
      if (job.compare) RETURN_IF_ERROR(Compare(setup, job));
      AddJob(setup, job, &bench);
    }
    status = bench.Run(arguments.Get("filter"));
  } else {
    printf("yaz-marcdump is not installed: no peer, its rows are left out\n");
    RETURN_IF_ERROR(Run(absl::StrCat("python3 ", setup.generator, " --coding tiny --records ", setup.records, " > ",
                                     setup.directory, "/tiny.mrc")));
  }
  RETURN_IF_ERROR(Run(absl::StrCat("head -c 100000000 ", setup.directory, "/tiny.mrc > /dev/null")));
  if (status.ok() && arguments.Get("filter").empty()) {
    const std::string corpus = setup.directory + "/reference.mrc";
    RETURN_IF_ERROR(Run(absl::StrCat("python3 ", setup.generator, " --coding tiny --records 10000 > ", corpus)));
    std::vector<std::string> places = arguments.GetAll("writers-dir");
    if (places.empty()) places.push_back(setup.directory);
    for (const std::string& place : places) {
      status = WriterRows(setup, place, corpus);
      if (status.ok() && !setup.tiny) status = WriterRows(setup, place, setup.directory + "/utf8.mrc");
      if (!status.ok()) break;
    }
  }
  RETURN_IF_ERROR(base::RemoveTree(setup.directory));
  return status;
}

}  // namespace
}  // namespace marc

int main(int argc, char** argv) {
  marc::Setup setup;
  const std::string here(base::DirectoryName(argv[0]));
  setup.marc = here + "/command/marc";
  setup.generator = here + "/../testdata/marc/make_corpus.py";
  if (access(setup.generator.c_str(), R_OK) != 0) setup.generator = "testdata/marc/make_corpus.py";
  base::Command command;
  command.name = "marc_bench";
  command.summary = "measure marc against its peers";
  command.flags = {{.name = "tiny", .help = "a short run that proves the benchmark works"},
                   {.name = "records", .value = "N", .help = "records of each corpus", .fallback = "100000"},
                   {.name = "dir", .value = "DIR", .help = "where corpora go", .fallback = "/tmp"},
                   {.name = "writers-dir", .value = "DIR", .help = "where the writers write; may be repeated"},
                   {.name = "filter", .value = "TEXT", .help = "rows whose name holds it"}};
  command.run = [&](const base::Arguments& arguments) {
    const absl::Status status = marc::RunAll(arguments, setup);
    if (!status.ok()) base::PrintError("marc_bench", status.message());
    return status.ok() ? 0 : 1;
  };
  return base::RunCommand(command, argc, argv);
}
