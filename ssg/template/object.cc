#include "ssg/template/object.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace ssg::tmpl {

absl::StatusOr<Value> Object::Attribute(Symbol, Runtime&) const { return Value(); }

absl::StatusOr<Value> Object::Item(const Value&, Runtime&) const { return Value(); }

absl::StatusOr<Value> Object::Call(Runtime&, const Arguments&) const {
  return absl::InvalidArgumentError(absl::StrCat("'", TypeName(), "' object is not callable"));
}

absl::StatusOr<Value> Object::Iterate(Runtime&) const {
  return absl::InvalidArgumentError(absl::StrCat("'", TypeName(), "' object is not iterable"));
}

std::string Object::ToString() const { return absl::StrCat("<", TypeName(), ">"); }

Signature::Signature(absl::string_view text) {
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (absl::StartsWith(word, "**")) {
      kwargs_ = true;
    } else if (absl::StartsWith(word, "*")) {
      varargs_ = true;
    } else if (absl::ConsumeSuffix(&word, "?")) {
      parameters_.push_back(Symbol::Intern(word));
    } else {
      parameters_.push_back(Symbol::Intern(word));
      required_ = parameters_.size();
    }
  }
}

absl::StatusOr<Value> Function::Invoke(Runtime& runtime, const Value& first, const Arguments& arguments) const {
  const std::vector<Symbol>& parameters = signature_.parameters();
  absl::InlinedVector<Value, 8> bound(parameters.size());
  const size_t offset = first.IsMissing() ? 0 : 1;
  if (offset > 0 && !bound.empty()) bound[0] = first;
  const size_t given = offset + arguments.positional.size();
  const size_t taken = std::min(given, parameters.size());
  for (size_t i = offset; i < taken; ++i) bound[i] = arguments.positional[i - offset];
  if (given > parameters.size() && !signature_.varargs()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, "() takes at most ", parameters.size(), " arguments but ", given, " were given"));
  }
  absl::InlinedVector<NamedValue, 4> named;
  for (const NamedValue& argument : arguments.named) {
    const auto found = std::find(parameters.begin(), parameters.end(), argument.name);
    if (found == parameters.end()) {
      if (!signature_.kwargs()) {
        return absl::InvalidArgumentError(
            absl::StrCat(name_, "() got an unexpected keyword argument '", argument.name.text(), "'"));
      }
      named.push_back(argument);
      continue;
    }
    Value& slot = bound[found - parameters.begin()];
    if (!slot.IsMissing()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name_, "() got multiple values for argument '", argument.name.text(), "'"));
    }
    slot = argument.value;
  }
  for (size_t i = 0; i < signature_.required(); ++i) {
    if (bound[i].IsMissing()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name_, "() is missing its required argument '", parameters[i].text(), "'"));
    }
  }
  return body_(runtime, {bound, arguments.positional.subspan(taken - std::min(taken, offset)), named});
}

absl::StatusOr<Value> Function::Call(Runtime& runtime, const Arguments& arguments) const {
  return Invoke(runtime, Value(), arguments);
}

std::string Function::ToString() const { return absl::StrCat("<function ", name_, ">"); }

}  // namespace ssg::tmpl
