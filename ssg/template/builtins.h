// Jinja2's own filters, tests and global functions, registered by subject.
//
// Threads: no state.
#ifndef SSG_TEMPLATE_BUILTINS_H_
#define SSG_TEMPLATE_BUILTINS_H_

#include "absl/status/statusor.h"
#include "ssg/template/environment.h"
#include "ssg/template/object.h"
#include "ssg/template/runtime.h"

namespace ssg::tmpl {

void AddTextFilters(Environment& environment);      // filters_text.cc
void AddHtmlFilters(Environment& environment);      // filters_html.cc
void AddNumberFilters(Environment& environment);    // filters_number.cc
void AddSequenceFilters(Environment& environment);  // filters_sequence.cc
void AddSelectFilters(Environment& environment);    // filters_select.cc
void AddTests(Environment& environment);            // tests.cc
void AddFunctions(Environment& environment);        // functions.cc

// Arguments as functions want them; `otherwise` stands for one not given.
absl::StatusOr<int64_t> IntArgument(Runtime& runtime, const BoundArguments& call, size_t index, int64_t otherwise);
absl::StatusOr<bool> BoolArgument(Runtime& runtime, const BoundArguments& call, size_t index, bool otherwise);
// Like str(argument).
absl::StatusOr<Value> TextArgument(Runtime& runtime, const BoundArguments& call, size_t index,
                                   absl::string_view otherwise);

// For comparing without case: strings are lowered, other values stay.
Value IgnoreCase(Runtime& runtime, const Value& value);

// Sorts `items` stably by `keys`, which it reorders too.
absl::Status SortByKeys(Runtime& runtime, std::vector<std::pair<Value, Value>>& keyed, bool reverse);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_BUILTINS_H_
