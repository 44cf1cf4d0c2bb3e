// Python's two ways to format: "%s of %d" % args and "{} of {:>5}".format(...).
//
// With markup as the format the arguments are escaped, as Markup does it.
// Bounds:  widths and precisions up to 10,000.
// Threads: one render belongs to one thread.
#ifndef SSG_TEMPLATE_PERCENT_FORMAT_H_
#define SSG_TEMPLATE_PERCENT_FORMAT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ssg/template/object.h"
#include "ssg/template/runtime.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

// `format` % `arguments`: a tuple, a dict for %(name)s, or a single value.
absl::StatusOr<Value> PercentFormat(Runtime& runtime, const Value& format, const Value& arguments);

// str.format()
absl::StatusOr<Value> BraceFormat(Runtime& runtime, const Value& format, absl::Span<const Value> positional,
                                  absl::Span<const NamedValue> named);

// format(value, spec)
absl::StatusOr<std::string> FormatWithSpec(Runtime& runtime, const Value& value, absl::string_view spec);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_PERCENT_FORMAT_H_
