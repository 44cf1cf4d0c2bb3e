// The methods of str, list, tuple, dict and numbers that templates may call.
//
// Threads: thread-safe.
#ifndef SSG_TEMPLATE_METHODS_H_
#define SSG_TEMPLATE_METHODS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "ssg/template/object.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

// nullptr when values like `value` have no such method. The function's first
// parameter is the value itself.
const Function* FindMethod(const Value& value, Symbol name);
std::vector<absl::string_view> MethodNames(const Value& value);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_METHODS_H_
