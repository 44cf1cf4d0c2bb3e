// Diagnostics collects what is wrong with a site: file, line, severity, text.
//
// A build goes on after an error, so that one run reports everything; whoever
// owns the collector decides at the end.
// Shape:   reported once each, sorted by file, line and text.
// Bounds:  10,000 are kept; the rest are counted.
// Threads: thread-safe.
#ifndef SSG_DIAGNOSTICS_DIAGNOSTICS_H_
#define SSG_DIAGNOSTICS_DIAGNOSTICS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"

namespace ssg {

enum class Severity { kWarning, kError };

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string file;   // relative to the site, "" = the site itself
  uint32_t line = 0;  // 0 = the whole file
  uint32_t column = 0;
  std::string message;
  std::string rule;  // what `ssg check --json` calls it: "link", "front-matter"

  // "content/a.md:3:1: error: message"
  std::string ToString() const;
};

class Diagnostics {
 public:
  void Add(Diagnostic diagnostic) ABSL_LOCKS_EXCLUDED(mutex_);
  void Error(absl::string_view rule, absl::string_view file, uint32_t line, absl::string_view message);
  void Warning(absl::string_view rule, absl::string_view file, uint32_t line, absl::string_view message);
  // Of a status whose message starts with "LINE: " or "LINE:COLUMN: ". `line_offset` is added.
  void AddStatus(absl::string_view rule, absl::string_view file, const absl::Status& status, uint32_t line_offset = 0);

  std::vector<Diagnostic> Sorted() const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t error_count() const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t warning_count() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable base::Mutex mutex_;
  std::vector<Diagnostic> diagnostics_ ABSL_GUARDED_BY(mutex_);
  size_t errors_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t warnings_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ssg

#endif  // SSG_DIAGNOSTICS_DIAGNOSTICS_H_
