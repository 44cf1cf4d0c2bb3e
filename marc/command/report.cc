#include "marc/command/report.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "marc/command/output.h"

namespace marc {

absl::StatusOr<std::unique_ptr<Reporter>> Reporter::Create(const Options& options) {
  auto reporter = std::unique_ptr<Reporter>(new Reporter(options));
  if (!options.path.empty()) {
    ASSIGN_OR_RETURN(reporter->file_, OpenOutput(options.path));
  }
  return reporter;
}

void Reporter::Count(ProblemCode code, uint64_t count) {
  totals_[code] += count;
  if (DefaultSeverity(code) != Severity::kInfo) problems_count_ += count;
}

void Reporter::Take(const Problem& problem) {
  Count(problem.code, 1);
  if (totals_[problem.code] > options_.per_code_max) return;
  if (file_ != nullptr && status_.ok()) status_ = file_->Write(absl::StrCat(ToJson(problem), "\n"));
  if (options_.quiet || (problem.severity == Severity::kInfo && file_ != nullptr)) return;
  fprintf(stderr, "%s\n", DebugString(problem).c_str());
  if (totals_[problem.code] == options_.per_code_max) {
    fprintf(stderr, "more %s are counted, not shown (--max-per-code)\n", CodeText(problem.code).c_str());
  }
}

void Reporter::Take(const ChunkResult& result) {
  for (const Problem& problem : result.problems) Take(problem);
  for (const auto& [code, count] : result.suppressed) Count(code, count);
}

absl::Status Reporter::Close(const PipelineSummary& summary) {
  if (!options_.quiet && problems_count_ != 0) {
    fprintf(stderr, "%s records read, %s rejected; %s problems:", base::HumanCount(summary.records_read).c_str(),
            base::HumanCount(summary.records_rejected).c_str(), base::HumanCount(problems_count_).c_str());
    for (const auto& [code, count] : totals_) {
      fprintf(stderr, " %s %s x%s", CodeText(code).c_str(), std::string(CodeName(code)).c_str(),
              base::HumanCount(count).c_str());
    }
    fprintf(stderr, "\n");
  }
  RETURN_IF_ERROR(status_);
  if (file_ == nullptr) return absl::OkStatus();
  std::string json =
      absl::StrCat("{\"v\":1,\"summary\":true,\"records_read\":", summary.records_read,
                   ",\"records_written\":", summary.records_written, ",\"records_rejected\":", summary.records_rejected,
                   ",\"input_bytes\":", summary.input_bytes, ",\"totals\":{");
  bool first = true;
  for (const auto& [code, count] : totals_) {
    absl::StrAppend(&json, first ? "" : ",", "\"", CodeText(code), "\":", count);
    first = false;
  }
  RETURN_IF_ERROR(file_->Write(json + "}}\n"));
  return file_->Close();
}

}  // namespace marc
