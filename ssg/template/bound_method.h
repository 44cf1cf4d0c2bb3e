// A BoundMethod is a method taken from its value: {% set up = name.upper %}.
//
// Threads: immutable.
#ifndef SSG_TEMPLATE_BOUND_METHOD_H_
#define SSG_TEMPLATE_BOUND_METHOD_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "ssg/template/object.h"

namespace ssg::tmpl {

class BoundMethod : public Object {
 public:
  BoundMethod(const Function& method, const Value& self) : method_(method), self_(self) {}

  absl::string_view TypeName() const override { return "builtin_function_or_method"; }
  absl::StatusOr<Value> Call(Runtime& runtime, const Arguments& arguments) const override {
    return method_.Invoke(runtime, self_, arguments);
  }
  std::string ToString() const override { return absl::StrCat("<built-in method ", method_.name(), ">"); }
  bool IsCallable() const override { return true; }

 private:
  const Function& method_;
  const Value self_;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_BOUND_METHOD_H_
