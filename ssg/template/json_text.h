// Values as JSON, laid out as Python's json.dumps(value, sort_keys=True) does.
//
// Threads: one render belongs to one thread.
#ifndef SSG_TEMPLATE_JSON_TEXT_H_
#define SSG_TEMPLATE_JSON_TEXT_H_

#include <string>

#include "absl/status/status.h"
#include "ssg/template/runtime.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

// `indent`: none for one line, or spaces per level, or the text of one level.
absl::Status AppendJson(Runtime& runtime, const Value& value, const Value& indent, std::string& out);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_JSON_TEXT_H_
