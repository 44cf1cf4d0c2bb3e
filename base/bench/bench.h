// Measuring contenders against each other: interleaved runs, medians, ratios.
//
// Shape:   a Bench holds rows; a row is one workload that several contenders do.
//          Run() goes round the contenders `runs` times, so that a noisy minute hits
//          all alike, and prints a table: median, spread, ratio to the first one.
// Errors:  a contender's error ends its row and is printed; Run() returns the first
// Threads: single thread (main).
//
// Example:
//   base::Bench bench({.title = "marc", .runs = 5});
//   bench.Add("to MARCXML", {{"yaz-marcdump", RunYaz}, {"marc", RunMarc}});
//   return bench.Run().ok() ? 0 : 1;
#ifndef BASE_BENCH_BENCH_H_
#define BASE_BENCH_BENCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace base {

// What one run of a contender gave.
struct Measurement {
  double wall_seconds = 0;
  double cpu_seconds = 0;       // user + system, 0 = not measured
  uint64_t rss_bytes_max = 0;   // 0 = not measured
  double units = 1;             // what was done, e.g. records
  std::string output_digest;    // compared within a row unless empty
};

struct Contender {
  std::string name;
  std::function<absl::StatusOr<Measurement>()> run;
  std::function<absl::Status()> prepare;  // before each run, not measured; may be null
};

class Bench {
 public:
  struct Options {
    std::string title;
    int runs = 5;
    bool tiny = false;  // one run: proves that the benchmark works
  };
  enum class By { kWall, kCpu };
  struct Row {
    std::string name;
    std::string unit = "op";  // what Measurement::units counts
    By by = By::kWall;
    // At least this many times as fast as the first contender; 0 = no gate. Only reported.
    double gate = 0;
    bool compare_output = true;
  };
  // The outcome of one contender in one row, medians over the runs.
  struct Result {
    std::string row;
    std::string contender;
    double units_per_second = 0;
    double spread = 0;  // (max - min) / median
    double ratio = 0;   // to the row's first contender
    double cpu_us_per_unit = 0;
    uint64_t rss_bytes_max = 0;
  };

  explicit Bench(Options options) : options_(std::move(options)) {}
  void Add(Row row, std::vector<Contender> contenders) {
    rows_.emplace_back(std::move(row), std::move(contenders));
  }
  // Rows whose name contains `filter` (empty = all). Prints as it goes.
  absl::Status Run(absl::string_view filter = "");
  const std::vector<Result>& results() const { return results_; }

 private:
  absl::Status RunRow(const Row& row, const std::vector<Contender>& contenders);

  const Options options_;
  std::vector<std::pair<Row, std::vector<Contender>>> rows_;
  std::vector<Result> results_;
};

double Median(std::vector<double> values);

// Measures `function` on the calling thread: wall time and CPU of the whole process.
absl::StatusOr<Measurement> Measure(const std::function<absl::Status()>& function);

// Runs a program to its end and measures it with all its children.
struct CommandOptions {
  std::string directory;         // "" = the current one
  std::string stdout_path;       // "" = /dev/null
  std::string stdin_path;        // "" = /dev/null
  std::vector<int> exit_codes = {0};  // others are errors
};
absl::StatusOr<Measurement> MeasureCommand(const std::vector<std::string>& argv, const CommandOptions& options);
// Whether `program` is found in PATH.
bool HaveProgram(absl::string_view program);

// Writes dirty pages and empties the page cache. Errors: PermissionDenied  not root
absl::Status DropCaches();

// "2 CPUs, Xeon ..., kernel 6.1, load 0.4, guest_halt_poll_ns 0".
std::string DescribeMachine();

}  // namespace base

#endif  // BASE_BENCH_BENCH_H_
