// Jinja2's tests: `value is name(arguments)`.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

template <typename Predicate>
NativeFunction If(Predicate predicate) {
  return [predicate](Runtime&, const BoundArguments& call) -> absl::StatusOr<Value> {
    return Value::Bool(predicate(call[0]));
  };
}

NativeFunction IfRelation(Operator op) {
  return [op](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const bool holds, runtime.Relation(op, call[0], call[1]));
    return Value::Bool(holds);
  };
}

// str.islower() or str.isupper(): some cased letter and none of the other case.
bool AllCased(absl::string_view text, bool (*wanted)(int32_t), bool (*other)(int32_t)) {
  bool found = false;
  for (absl::string_view point : SplitCodePoints(text)) {
    const int32_t code = Decode(point).value;
    if (other(code) || IsTitle(code)) return false;
    found |= wanted(code);
  }
  return found;
}

NativeFunction IfCased(bool (*wanted)(int32_t), bool (*other)(int32_t)) {
  return [wanted, other](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
    return Value::Bool(AllCased(text.text(), wanted, other));
  };
}

bool IsIterable(const Value& value) {
  if (value.IsObject()) return value.object().Length().has_value();
  return value.IsListLike() || value.IsString() || value.IsDict() || value.kind() == Kind::kRange ||
         value.IsUndefined();
}

bool IsSequence(const Value& value) {
  if (value.IsObject()) return value.object().Length().has_value();
  return value.kind() == Kind::kList || value.kind() == Kind::kTuple || value.IsString() || value.IsDict() ||
         value.kind() == Kind::kRange || value.IsUndefined();
}

// `is`, for values that have an identity.
bool IsSame(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.IsListLike()) return &a.list() == &b.list();
  if (a.IsDict()) return &a.dict() == &b.dict();
  if (a.IsFloat()) return a.float_value() == b.float_value();
  return SameKey(a, b);
}

absl::StatusOr<Value> DivisibleBy(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value rest, runtime.Arithmetic(Operator::kMod, call[0], call[1]));
  ASSIGN_OR_RETURN(const bool zero, runtime.Equal(rest, Value::Int(0)));
  return Value::Bool(zero);
}

NativeFunction IfRemainder(int64_t wanted) {
  return [wanted](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const Value rest, runtime.Arithmetic(Operator::kMod, call[0], Value::Int(2)));
    ASSIGN_OR_RETURN(const bool same, runtime.Equal(rest, Value::Int(wanted)));
    return Value::Bool(same);
  };
}

absl::StatusOr<Value> TestIn(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const bool contains, runtime.Contains(call[1], call[0]));
  return Value::Bool(contains);
}

// Whether there is a filter or test of that name.
NativeFunction IfNamed(const Function* (Environment::*find)(absl::string_view) const) {
  return [find](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    if (!Hashable(call[0])) {
      return absl::InvalidArgumentError(absl::StrCat("unhashable type: '", TypeName(call[0]), "'"));
    }
    return Value::Bool(call[0].IsString() && (runtime.environment().*find)(call[0].text()) != nullptr);
  };
}

void AddRelations(Environment& environment) {
  const std::pair<Operator, std::vector<absl::string_view>> rows[] = {
      {Operator::kEqual, {"==", "eq", "equalto"}},      {Operator::kNotEqual, {"!=", "ne"}},
      {Operator::kGreater, {">", "gt", "greaterthan"}}, {Operator::kGreaterEqual, {">=", "ge"}},
      {Operator::kLess, {"<", "lt", "lessthan"}},       {Operator::kLessEqual, {"<=", "le"}},
  };
  for (const auto& [op, names] : rows) {
    for (absl::string_view name : names) environment.AddTest(name, "a b", IfRelation(op));
  }
}

void AddTypes(Environment& environment) {
  const auto add = [&](absl::string_view name, bool (*predicate)(const Value&)) {
    environment.AddTest(name, "value", If(predicate));
  };
  add("defined", [](const Value& v) { return !v.IsUndefined(); });
  add("undefined", [](const Value& v) { return v.IsUndefined(); });
  add("none", [](const Value& v) { return v.IsNone(); });
  add("boolean", [](const Value& v) { return v.IsBool(); });
  add("true", [](const Value& v) { return v.IsBool() && v.bool_value(); });
  add("false", [](const Value& v) { return v.IsBool() && !v.bool_value(); });
  add("integer", [](const Value& v) { return v.IsInt(); });
  add("float", [](const Value& v) { return v.IsFloat(); });
  add("number", [](const Value& v) { return v.IsNumber(); });
  add("string", [](const Value& v) { return v.IsString(); });
  add("mapping", [](const Value& v) { return v.IsDict() || (v.IsObject() && v.object().IsMapping()); });
  add("iterable", IsIterable);
  add("sequence", IsSequence);
  add("callable", [](const Value& v) { return v.IsUndefined() || (v.IsObject() && v.object().IsCallable()); });
  add("escaped", [](const Value& v) { return v.IsMarkup() || (v.IsObject() && v.object().IsMarkup()); });
}

}  // namespace

void AddTests(Environment& environment) {
  AddRelations(environment);
  AddTypes(environment);
  environment.AddTest("odd", "value", IfRemainder(1));
  environment.AddTest("even", "value", IfRemainder(0));
  environment.AddTest("divisibleby", "value num", DivisibleBy);
  environment.AddTest("in", "value seq", TestIn);
  environment.AddTest("lower", "value", IfCased(IsLower, IsUpper));
  environment.AddTest("upper", "value", IfCased(IsUpper, IsLower));
  environment.AddTest("sameas", "value other", [](Runtime&, const BoundArguments& call) -> absl::StatusOr<Value> {
    return Value::Bool(IsSame(call[0], call[1]));
  });
  environment.AddTest("filter", "value", IfNamed(&Environment::FindFilter));
  environment.AddTest("test", "value", IfNamed(&Environment::FindTest));
}

}  // namespace ssg::tmpl
