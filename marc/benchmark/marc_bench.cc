// Measures marc against its peers, and its writers against a bare write loop.
//
// Corpora come from testdata/marc/make_corpus.py. Programs are compared by CPU
// seconds, interleaved, after their outputs were found to hold the same records.
#include <unistd.h>

#include <cstdio>

#include "base/bench/bench.h"
#include "base/command_line.h"
#include "base/os/file.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "fs/benchmark/bench_mount.h"
#include "marc/benchmark/program_rows.h"
#include "marc/benchmark/writer_rows.h"

namespace marc {
namespace {

// The reference's tests, and scaling where the corpora are, on tmpfs and on a
// cachefs mount.
absl::Status RunWriters(const BenchSetup& setup, const base::Arguments& arguments) {
  const std::string tiny = setup.File("reference.mrc");
  const std::string real = setup.File("utf8.mrc");
  RETURN_IF_ERROR(RunReferenceTests(setup, setup.directory, tiny));
  for (const std::string& place : arguments.GetAll("writers-dir")) {
    RETURN_IF_ERROR(RunWriterScaling(setup, place, place, real));
  }
  RETURN_IF_ERROR(
      RunWriterScaling(setup, absl::StrCat("the filesystem of ", arguments.Get("dir")), setup.directory, real));
  if (setup.tiny) return absl::OkStatus();
  for (const fs::MountKind kind : {fs::MountKind::kTmpfs, fs::MountKind::kCachefs}) {
    absl::StatusOr<std::unique_ptr<fs::BenchMount>> mount = fs::BenchMount::Make(
        {.kind = kind, .directory = setup.directory, .size_bytes = 4 * base::kGiB, .cachefs = setup.cachefs});
    if (!mount.ok()) {
      printf("\nno %s: %s\n", fs::MountKindName(kind), std::string(mount.status().message()).c_str());
      continue;
    }
    RETURN_IF_ERROR(RunWriterScaling(setup, fs::MountKindName(kind), (*mount)->path(), real));
  }
  return absl::OkStatus();
}

absl::Status RunAll(const base::Arguments& arguments, BenchSetup setup) {
  setup.tiny = arguments.Has("tiny");
  if (setup.tiny) setup.records = 200;
  if (arguments.Has("records")) {
    ASSIGN_OR_RETURN(const int64_t records, arguments.GetInt("records", 1, 10000000));
    setup.records = static_cast<int>(records);
  }
  setup.directory = absl::StrCat(arguments.Get("dir"), "/marc-bench-", getpid());
  RETURN_IF_ERROR(base::MakeDirectories(setup.directory));
  printf("%s\n", base::DescribeMachine().c_str());
  const std::string part = arguments.Get("part");
  const std::string filter = arguments.Get("filter");
  if (!base::HaveProgram("yaz-marcdump")) {
    return absl::UnavailableError("yaz-marcdump is not installed: there is nothing to measure against");
  }
  absl::Status status = MakeCorpora(setup);
  if (status.ok() && (part == "all" || part == "programs")) status = RunProgramRows(setup, filter);
  if (status.ok() && (part == "all" || part == "library")) status = RunLibraryRows(setup, filter);
  if (status.ok() && (part == "all" || part == "writers")) status = RunWriters(setup, arguments);
  RETURN_IF_ERROR(base::RemoveTree(setup.directory));
  return status;
}

}  // namespace
}  // namespace marc

int main(int argc, char** argv) {
  marc::BenchSetup setup;
  const std::string top = absl::StrCat(base::DirectoryName(argv[0]), "/../..");
  setup.marc = top + "/marc/command/marc";
  setup.cachefs = top + "/fs/cachefs";
  setup.generator = top + "/testdata/marc/make_corpus.py";
  if (access(setup.generator.c_str(), R_OK) != 0) setup.generator = "testdata/marc/make_corpus.py";
  base::Command command;
  command.name = "marc_bench";
  command.summary = "measure marc against its peers";
  command.flags = {{.name = "tiny", .help = "a short run that proves the benchmark works"},
                   {.name = "records", .value = "N", .help = "records of each corpus", .fallback = "100000"},
                   {.name = "dir", .value = "DIR", .help = "where corpora go", .fallback = "/tmp"},
                   {.name = "part",
                    .value = "PART",
                    .help = "what is measured",
                    .fallback = "all",
                    .choices = {"all", "programs", "library", "writers"}},
                   {.name = "writers-dir", .value = "DIR", .help = "where writers write too; may be repeated"},
                   {.name = "filter", .value = "TEXT", .help = "rows whose name holds it"}};
  command.run = [&](const base::Arguments& arguments) {
    const absl::Status status = marc::RunAll(arguments, setup);
    if (!status.ok()) base::PrintError("marc_bench", status.message());
    return status.ok() ? 0 : 1;
  };
  return base::RunCommand(command, argc, argv);
}
