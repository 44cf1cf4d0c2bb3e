#include "marc/benchmark/program_rows.h"

#include <cstdio>
#include <fstream>
#include <functional>
#include <utility>
#include <vector>

#include "base/bench/bench.h"
#include "base/os/file.h"
#include "base/os/stream.h"
#include "base/status_macros.h"
#include "marc/benchmark/yaz_library.h"
#include "marc/charset/transcoder.h"
#include "marc/codec/iso2709_parser.h"
#include "marc/codec/iso2709_serializer.h"
#include "marc/formats/marcjson_parser.h"
#include "marc/stream/reader.h"

namespace marc {
namespace {

constexpr uint64_t kCorpusBytesMax = uint64_t{4} << 30;

// The records of a file as rebuilt ISO 2709 in Unicode's composed form, which
// some write and some do not: what two programs must agree on.
absl::StatusOr<std::string> Canonical(const std::string& path) {
  QuietSink quiet;
  TranscodeOptions coding;
  coding.normalization = Normalization::kNfc;
  Transcoder coder(coding, &quiet);
  ASSIGN_OR_RETURN(auto source, base::OpenSource(path));
  Reader reader(std::move(source), {}, &quiet);
  Buffer out;
  RecordView record;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, reader.Next(&record));
    if (!more) return std::string(out.view());
    RecordView composed;
    coder.Apply(record, &composed);
    AppendRebuilt(composed, &out);
  }
}

struct Program {
  std::string name;
  std::string command;
  int records = 0;
};

// Programs that do one job; the first is the peer that ratios are to.
struct Job {
  std::string name;
  double gate = 0;
  bool compare = true;
  std::vector<Program> programs;
};

absl::Status Compare(const BenchSetup& setup, const Job& job) {
  std::string first;
  for (const Program& program : job.programs) {
    const std::string path = setup.File("compare");
    RETURN_IF_ERROR(RunShell(absl::StrCat(program.command, " > ", path)));
    ASSIGN_OR_RETURN(const std::string result, Canonical(path));
    if (first.empty()) first = result;
    // A slow program reads only the first records.
    const bool same = !result.empty() &&
                      (program.records == setup.records ? result == first
                                                        : absl::string_view(first).substr(0, result.size()) == result);
    if (!same) {
      return absl::DataLossError(absl::StrCat(job.name, ": ", program.name, " writes other records: ", result.size(),
                                              " and ", first.size(), " bytes"));
    }
  }
  return absl::OkStatus();
}

void AddJob(const Job& job, base::Bench* bench) {
  std::vector<base::Contender> contenders;
  for (const Program& program : job.programs) {
    const std::string command = absl::StrCat("exec ", program.command, " > /dev/null");
    const double units = program.records;
    contenders.push_back(
        {program.name,
         [=]() -> absl::StatusOr<base::Measurement> {
           ASSIGN_OR_RETURN(base::Measurement m, base::MeasureCommand({"sh", "-c", command}, {.exit_codes = {0, 1}}));
           m.units = units;
           return m;
         },
         nullptr});
  }
  const auto row = [&](const std::string& name, double gate) {
    return base::Bench::Row{
        .name = name, .unit = "records", .by = base::Bench::By::kCpu, .gate = gate, .compare_output = false};
  };
  bench->Add(row(job.name, job.gate), {contenders[0], contenders[1]});
  // The others in a row of their own, against ours: the gate is not theirs.
  contenders.erase(contenders.begin());
  if (contenders.size() > 1) bench->Add(row(job.name + ", slower peers", 0), std::move(contenders));
}

// MARC::Record and marc4j read a part of the corpora only: they need seconds for it.
constexpr int kSlowRecords = 10000;

constexpr char kJavaJobs[] = R"(
import java.io.*;
import org.marc4j.*;
import org.marc4j.converter.impl.*;
import org.marc4j.marc.Record;
public class Jobs {
  public static void main(String[] args) throws Exception {
    MarcReader reader = new MarcStreamReader(new BufferedInputStream(new FileInputStream(args[1]), 1 << 20),
                                             args[0].equals("marc8") ? "ISO8859_1" : "UTF-8");
    OutputStream out = new BufferedOutputStream(System.out, 1 << 20);
    MarcWriter writer = args[0].equals("xml") ? new MarcXmlWriter(out) :
                        args[0].equals("read") ? null : new MarcStreamWriter(out, "UTF-8");
    if (args[0].equals("marc8")) writer.setConverter(new AnselToUnicode());
    while (reader.hasNext()) {
      Record record = reader.next();
      if (args[0].equals("marc8")) record.getLeader().setCharCodingScheme('a');
      if (writer != null) writer.write(record);
    }
    if (writer != null) writer.close();
    out.flush();
  }
}
)";

// The commands of the slow peers that are installed.
class SlowPeers {
 public:
  static absl::StatusOr<SlowPeers> Find(const BenchSetup& setup) {
    SlowPeers peers;
    peers.records_ = std::min(setup.records, kSlowRecords);
    peers.directory_ = setup.directory;
    peers.perl_ = RunShell("perl -MMARC::Batch -e 1 2>/dev/null").ok();
    const char* jar = "/usr/share/java/marc4j.jar";
    peers.java_ = base::HaveProgram("javac") && access(jar, R_OK) == 0;
    if (!peers.perl_) printf("MARC::Record is not installed: its contenders are left out\n");
    if (!peers.java_) printf("marc4j is not installed: its contenders are left out\n");
    if (peers.java_) {
      std::ofstream(setup.File("Jobs.java")) << kJavaJobs;
      RETURN_IF_ERROR(RunShell(absl::StrCat("cd ", setup.directory, " && javac -cp ", jar, " Jobs.java")));
    }
    for (const char* corpus : {"utf8", "marc8"}) {
      RETURN_IF_ERROR(RunShell(absl::StrCat(setup.marc, " cat -q --limit ", peers.records_, " ", setup.directory, "/",
                                            corpus, ".mrc -o ", setup.directory, "/", corpus, ".few.mrc")));
    }
    return peers;
  }

  // Appends the peers that do `job` (read, iso, xml, marc8) on `corpus`.
  void Add(const std::string& job, const std::string& corpus, std::vector<Program>* programs) const {
    const std::string file = absl::StrCat(directory_, "/", corpus, ".few.mrc");
    if (perl_ && (job == "read" || job == "iso")) {
      programs->push_back({"MARC::Record",
                           absl::StrCat("perl -MMARC::Batch -e 'binmode STDOUT, \":utf8\"; "
                                        "$b = MARC::Batch->new(\"USMARC\", shift); while ($r = $b->next) { ",
                                        job == "iso" ? "print $r->as_usmarc" : "@f = $r->fields", " }' ", file),
                           records_});
    }
    if (java_) {
      programs->push_back({"marc4j",
                           absl::StrCat("java -cp /usr/share/java/marc4j.jar:", directory_, " Jobs ", job, " ", file),
                           records_});
    }
  }

 private:
  bool perl_ = false;
  bool java_ = false;
  int records_ = 0;
  std::string directory_;
};

std::vector<Job> Jobs(const BenchSetup& setup, const SlowPeers& slow) {
  const std::string utf8 = setup.File("utf8.mrc");
  std::vector<Job> jobs;
  const auto add = [&](const std::string& name, double gate, bool compare, const std::string& yaz,
                       const std::string& ours) -> std::vector<Program>& {
    jobs.push_back({name, gate, compare, {}});
    std::vector<Program>& programs = jobs.back().programs;
    programs.push_back({"yaz-marcdump", "yaz-marcdump " + yaz, setup.records});
    programs.push_back({"marc -j1", setup.marc + " " + ours + " -q -j1", setup.records});
    return programs;
  };
  slow.Add("read", "utf8", &add("read, structure check", 7, false, "-n " + utf8, "check --level structure " + utf8));
  add("ISO to ISO, one field edited", 10, false, "-o marc " + utf8, "edit -e 'set 005=\"20240101120001.0\"' " + utf8);
  slow.Add("iso", "utf8", &add("ISO to ISO, directory rebuilt", 10, true, "-o marc " + utf8, "cat --rebuild " + utf8));
  add("ISO to ISO, pass-through", 0, true, "-o marc " + utf8, "cat " + utf8);
  slow.Add("xml", "utf8", &add("ISO to MARCXML", 10, true, "-o marcxml " + utf8, "convert --to marcxml " + utf8));
  add("ISO to NDJSON", 7, true, "-o json " + utf8, "convert --to ndjson " + utf8);
  const std::string marc8 = setup.File("marc8.mrc");
  slow.Add("marc8", "marc8",
           &add("MARC-8 to UTF-8", 12, true, "-f marc8 -t utf8 -l 9=97 -o marc " + marc8,
                "convert --coding marc8:utf8 " + marc8));
  const std::string xml = setup.File("utf8.xml");
  add("MARCXML to ISO", 5, true, "-i marcxml -o marc " + xml, "convert --to marc " + xml);
  const std::string tiny = setup.File("tiny.mrc");
  add("tiny records, whole process", 0, true, "-o marc " + tiny, "cat --rebuild " + tiny);
  return jobs;
}

// The edit as another program sees it: it differs in that field and nowhere else.
absl::Status CheckEdited(const BenchSetup& setup) {
  const std::string edited = setup.File("edited.mrc");
  RETURN_IF_ERROR(RunShell(
      absl::StrCat(setup.marc, " edit -e 'set 005=\"20240101120001.0\"' -q ", setup.File("utf8.mrc"), " -o ", edited)));
  RETURN_IF_ERROR(RunShell(absl::StrCat("yaz-marcdump -o marc ", edited, " > ", setup.File("compare"))));
  ASSIGN_OR_RETURN(const std::string ours, Canonical(edited));
  ASSIGN_OR_RETURN(const std::string yaz, Canonical(setup.File("compare")));
  ASSIGN_OR_RETURN(const std::string before, Canonical(setup.File("utf8.mrc")));
  if (ours != yaz) return absl::DataLossError("yaz reads the edited records otherwise");
  if (ours.size() != before.size()) return absl::DataLossError("the edit changed more than it should");
  size_t changed = 0;
  for (size_t i = 0; i < ours.size(); ++i) changed += ours[i] != before[i];
  if (changed != static_cast<size_t>(setup.records)) return absl::DataLossError("not every record was edited");
  return absl::OkStatus();
}

// One in-process job on bytes in memory; appends its result.
using MemoryJob = std::function<absl::Status(std::string*)>;

absl::Status AddMemoryRow(const std::string& name, double gate, int records, const MemoryJob& yaz,
                          const MemoryJob& ours, base::Bench* bench) {
  std::string results[2];
  RETURN_IF_ERROR(yaz(&results[0]));
  RETURN_IF_ERROR(ours(&results[1]));
  if (results[0].empty() || results[0] != results[1]) {
    return absl::DataLossError(absl::StrCat(name, ": the outputs differ"));
  }
  const auto contender = [=](const std::string& who, const MemoryJob& job) {
    auto out = std::make_shared<std::string>();
    return base::Contender{who,
                           [=]() -> absl::StatusOr<base::Measurement> {
                             // Ten rounds: one is too short for the clock of CPU time.
                             ASSIGN_OR_RETURN(base::Measurement m, base::Measure([&]() -> absl::Status {
                                                for (int i = 0; i < 10; ++i) {
                                                  out->clear();
                                                  RETURN_IF_ERROR(job(out.get()));
                                                }
                                                return absl::OkStatus();
                                              }));
                             m.units = 10.0 * records;
                             return m;
                           },
                           nullptr};
  };
  bench->Add({.name = name, .unit = "records", .by = base::Bench::By::kCpu, .gate = gate, .compare_output = false},
             {contender("libyaz", yaz), contender("marc", ours)});
  return absl::OkStatus();
}

template <typename Parser>
void RebuildAll(absl::string_view padded, std::string* out) {
  QuietSink quiet;
  Parser parser(Strictness::kLenient, &quiet);
  Chunk chunk;
  chunk.bytes = padded.substr(0, padded.size() - kPaddingBytes);
  chunk.at_end = true;
  parser.Start(chunk);
  Buffer buffer;
  RecordView record;
  while (parser.Next(&record)) AppendRebuilt(record, &buffer);
  out->append(buffer.data(), buffer.size());
}

absl::StatusOr<std::shared_ptr<std::string>> ReadPadded(const std::string& path) {
  ASSIGN_OR_RETURN(std::string bytes, base::ReadFile(path, kCorpusBytesMax));
  bytes.append(kPaddingBytes, '\0');
  return std::make_shared<std::string>(std::move(bytes));
}

}  // namespace

absl::Status RunShell(const std::string& command) { return base::MeasureCommand({"sh", "-c", command}, {}).status(); }

absl::Status MakeCorpora(const BenchSetup& setup) {
  for (const char* coding : {"utf8", "marc8", "tiny"}) {
    RETURN_IF_ERROR(RunShell(absl::StrCat("python3 ", setup.generator, " --coding ", coding, " --records ",
                                          setup.records, " > ", setup.directory, "/", coding, ".mrc")));
  }
  RETURN_IF_ERROR(RunShell(absl::StrCat("python3 ", setup.generator, " --coding tiny --records ",
                                        setup.tiny ? setup.records : 10000, " > ", setup.File("reference.mrc"))));
  return RunShell(absl::StrCat("yaz-marcdump -o marcxml ", setup.File("utf8.mrc"), " > ", setup.File("utf8.xml")));
}

absl::Status RunProgramRows(const BenchSetup& setup, const std::string& filter) {
  ASSIGN_OR_RETURN(const SlowPeers slow, SlowPeers::Find(setup));
  RETURN_IF_ERROR(CheckEdited(setup));
  base::Bench bench({.title = "marc", .runs = setup.runs(), .tiny = setup.tiny});
  for (const Job& job : Jobs(setup, slow)) {
    if (job.name.find(filter) == std::string::npos) continue;
    if (job.compare) RETURN_IF_ERROR(Compare(setup, job));
    AddJob(job, &bench);
  }
  return bench.Run(filter);
}

absl::Status RunLibraryRows(const BenchSetup& setup, const std::string& filter) {
  absl::StatusOr<std::unique_ptr<YazLibrary>> loaded = YazLibrary::Load();
  if (!loaded.ok()) {
    printf("%s: the rows in one process are left out\n", std::string(loaded.status().message()).c_str());
    return absl::OkStatus();
  }
  YazLibrary* yaz = loaded->get();
  base::Bench bench({.title = "marc in one process", .runs = setup.runs(), .tiny = setup.tiny});
  const int count = setup.tiny ? setup.records : 10000;
  ASSIGN_OR_RETURN(const std::shared_ptr<std::string> iso, ReadPadded(setup.File("reference.mrc")));
  const auto copy_by_yaz = [=](std::string* out) -> absl::Status {
    const size_t size = iso->size() - kPaddingBytes;
    for (size_t at = 0; at < size;) {
      ASSIGN_OR_RETURN(const size_t taken, yaz->CopyRecord(iso->data() + at, size - at, out));
      at += taken;
    }
    return absl::OkStatus();
  };
  const auto copy = [=](std::string* out) {
    RebuildAll<Iso2709Parser>(*iso, out);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(AddMemoryRow("reference's tiny records", 10, count, copy_by_yaz, copy, &bench));
  const std::string lines = setup.File("few.ndjson");
  RETURN_IF_ERROR(RunShell(
      absl::StrCat(setup.marc, " convert -q --to ndjson --limit ", count, " ", setup.File("utf8.mrc"), " -o ", lines)));
  ASSIGN_OR_RETURN(const std::shared_ptr<std::string> json, ReadPadded(lines));
  const auto json_by_yaz = [=](std::string* out) -> absl::Status {
    // The line ends become the zero bytes that yaz wants behind an object.
    std::string text(*json);
    for (size_t at = 0; at < text.size() - kPaddingBytes;) {
      const size_t end = text.find('\n', at);
      text[end] = '\0';
      RETURN_IF_ERROR(yaz->ConvertJson(text.data() + at, out));
      at = end + 1;
    }
    return absl::OkStatus();
  };
  const auto convert = [=](std::string* out) {
    RebuildAll<MarcJsonParser>(*json, out);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(AddMemoryRow("JSON to ISO", 3.5, count, json_by_yaz, convert, &bench));
  return bench.Run(filter);
}

}  // namespace marc
