// A Diagnostic says what is wrong with a template, where, and how the render
// came there.
//
// It travels inside an absl::Status, whose message is its text form.
// Threads: no state.
#ifndef SSG_TEMPLATE_DIAGNOSTIC_H_
#define SSG_TEMPLATE_DIAGNOSTIC_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace ssg::tmpl {

struct Diagnostic {
  // One step of the way into the failing template, innermost first.
  struct Step {
    std::string what;  // "included by", "in macro 'card' called from"
    std::string name;
    int line = 0;
  };

  std::string message;  // "'pag' is undefined"
  std::string hint;     // "did you mean 'page'?"; may be empty.
  std::string name;     // The template.
  int line = 0;         // From 1.
  int column = 0;       // From 1, in code points.
  std::string excerpt;  // The source line.
  std::vector<Step> steps;

  // The form shown in engine.h.
  std::string ToString() const;
};

absl::Status ToStatus(const Diagnostic& diagnostic, absl::StatusCode code);
// The diagnostic that `status` was made from.
absl::optional<Diagnostic> DiagnosticOf(const absl::Status& status);

// The name of `names` most like `name`, if one is close enough to be meant.
absl::optional<std::string> Nearest(absl::string_view name, const std::vector<absl::string_view>& names);
// "did you mean 'x'?" or "".
std::string DidYouMean(absl::string_view name, const std::vector<absl::string_view>& names);

// Fills in line, column and excerpt for byte `offset` of `source`.
void Locate(absl::string_view source, size_t offset, Diagnostic& diagnostic);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_DIAGNOSTIC_H_
