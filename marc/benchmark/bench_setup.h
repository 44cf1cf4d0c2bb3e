// What the parts of the benchmark share: where programs and corpora are.
//
// Threads: immutable once made; thread-safe to read.
#ifndef MARC_BENCHMARK_BENCH_SETUP_H_
#define MARC_BENCHMARK_BENCH_SETUP_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "marc/codec/parser.h"

namespace marc {

struct BenchSetup {
  std::string marc;       // our program
  std::string cachefs;    // the filesystem's daemon, "" = not built
  std::string directory;  // corpora and outputs
  std::string generator;
  int records = 100000;
  bool tiny = false;

  std::string File(const std::string& name) const { return absl::StrCat(directory, "/", name); }
  int runs() const { return tiny ? 1 : 5; }
};

// Takes problems and rejections and forgets them.
class QuietSink : public RecordSink {
 public:
  void Report(Problem) override {}
  void Reject(absl::string_view) override {}
};

}  // namespace marc

#endif  // MARC_BENCHMARK_BENCH_SETUP_H_
