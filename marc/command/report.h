// Reporter tells people and programs about problems: a line on stderr each,
// NDJSON in a file, totals at the end.
//
// Bounds:  at most `per_code_max` problems of a code are shown; all are counted.
// Threads: thread-compatible.
// Source:  SPEC.md P1..P4.
#ifndef MARC_COMMAND_REPORT_H_
#define MARC_COMMAND_REPORT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/os/stream.h"
#include "marc/codec/problem.h"
#include "marc/stream/pipeline.h"

namespace marc {

class Reporter {
 public:
  struct Options {
    std::string path;  // of the NDJSON report; empty: none
    uint64_t per_code_max = 20;
    bool quiet = false;  // nothing on stderr
  };
  static absl::StatusOr<std::unique_ptr<Reporter>> Create(const Options& options);

  void Take(const ChunkResult& result);
  void Take(const Problem& problem);
  void Count(ProblemCode code, uint64_t count);
  // The summary, and the report's file.
  absl::Status Close(const PipelineSummary& summary);

  // Warnings and errors, so far.
  uint64_t problems_count() const { return problems_count_; }
  const std::map<ProblemCode, uint64_t>& totals() const { return totals_; }

 private:
  explicit Reporter(const Options& options) : options_(options) {}

  const Options options_;
  std::unique_ptr<base::Sink> file_;
  absl::Status status_;
  std::map<ProblemCode, uint64_t> totals_;
  uint64_t problems_count_ = 0;
};

}  // namespace marc

#endif  // MARC_COMMAND_REPORT_H_
